// The process-wide gate that makes exit and fork safe (reconnect-spec R18, R19).
//
// Every call of the binding passes it: admitted with the GIL, entered without the GIL, left before it sleeps. Closing it
// for good keeps native code out of a dying interpreter; taking it exclusively leaves no lock of ours held at a fork.
// May know: nothing of this project. Promises: enter() and leave() cost two atomic operations while nobody forks.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace fastws::client {

class Gate {
 public:
  /// The gate of this process; a fork's child has a new one.
  static Gate& instance() noexcept;
  static void renew_after_fork();

  /// With the GIL: false = closed, the call must return at once. True is undone by dismiss(), again with the GIL.
  bool admit() noexcept;
  void dismiss() noexcept;

  /// Without the GIL, between admit() and dismiss(): waits while another thread's fork is under way.
  void enter();
  void leave();

  /// Waits until nobody is inside, and keeps everybody out until release().
  void take();
  void release();

  /// For good: admit() is false from now on.
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept;
  /// Without the GIL: waits until every admitted call was dismissed, at most `seconds`. True = all are gone.
  bool wait_empty(double seconds);

 private:
  std::atomic<bool> closed_{false};
  std::atomic<bool> taken_{false};
  std::atomic<long> admitted_{0};
  std::atomic<long> inside_{0};
  std::mutex mutex_;
  std::condition_variable released_;
};

/// Holds the gate for a scope that runs without the GIL.
class Inside {
 public:
  Inside() : gate_(Gate::instance()) { gate_.enter(); }
  ~Inside() { gate_.leave(); }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  Gate& gate_;
};

}  // namespace fastws::client
