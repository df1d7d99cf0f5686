// The event loop: posted functions, timers and readiness, on the one thread that calls run().
//
// May know: Asio, in loop.cpp alone; this header shows no third-party type. Promises: post() may be called from any
// thread, everything else from the loop's thread; a function that throws ends the process's promise, so none may.
#pragma once

#include <functional>
#include <memory>

namespace fastws::net {

/// Seconds of the monotonic clock that timers and deadlines use.
double monotonic_now() noexcept;
/// Seconds since 1970, as this machine's clock has it.
double wall_now() noexcept;

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();                                 // until stop()
  void stop();                                // any thread
  void post(std::function<void()> function);  // any thread

  /// Looks for events without sleeping until then (monotonic_now() seconds), and lets whoever wants this CPU have it in
  /// between: what comes soon is found without the wake-up of an idle CPU.
  void busy_poll(double until);

  class Impl;
  [[nodiscard]] Impl& impl() noexcept { return *impl_; }  // for this folder

 private:
  void look_again();

  std::unique_ptr<Impl> impl_;
  double poll_until_ = 0.0;
  bool polling_ = false;
};

/// One timer. After cancel(), at() or destruction on the loop's thread an earlier function is not called any more.
class Timer {
 public:
  explicit Timer(Loop& loop);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void at(double when, std::function<void()> function);  // monotonic_now() seconds
  void cancel();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace fastws::net
