// The loop is one io_context; a timer's functions are guarded by a number, so that a late completion finds it changed.
#include "loop.hpp"

#include <sched.h>

#include <algorithm>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <utility>

#include "loop_impl.hpp"

namespace fastws::net {

double monotonic_now() noexcept {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double wall_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

namespace {

/// A moment of the clock; one that it can not hold ("never") becomes the latest that it can.
std::chrono::steady_clock::time_point clock_point(double when) {
  constexpr double latest = 9e9;  // seconds; the clock counts nanoseconds in 64 bits
  const std::chrono::duration<double> since_epoch(when < latest ? std::max(when, 0.0) : latest);
  return std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(since_epoch));
}

}  // namespace

void Loop::run() { impl_->context.run(); }
void Loop::stop() { impl_->context.stop(); }
void Loop::post(std::function<void()> function) { asio::post(impl_->context, std::move(function)); }

void Loop::busy_poll(double until) {
  poll_until_ = until;
  if (!std::exchange(polling_, true)) look_again();
}

void Loop::look_again() {
  // While a function waits to be run, Asio looks for events before it and does not sleep.
  asio::post(impl_->context, [this] {
    ::sched_yield();
    if (monotonic_now() < poll_until_) {
      look_again();
    } else {
      polling_ = false;
    }
  });
}

class Timer::Impl : public std::enable_shared_from_this<Timer::Impl> {
 public:
  explicit Impl(asio::io_context& context) : timer_(context) {}

  void at(double when, std::function<void()> function) {
    const std::uint64_t number = ++number_;
    timer_.expires_at(clock_point(when));
    // The function lives in the operation, not here: it may cancel, re-arm or destroy this timer while it runs.
    timer_.async_wait([weak = weak_from_this(), number, function = std::move(function)](std::error_code) {
      const auto self = weak.lock();
      if (self && self->number_ == number) function();
    });
  }
  void cancel() {
    ++number_;
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  std::uint64_t number_ = 0;
};

Timer::Timer(Loop& loop) : impl_(std::make_shared<Impl>(loop.impl().context)) {}
Timer::~Timer() { impl_->cancel(); }
void Timer::at(double when, std::function<void()> function) { impl_->at(when, std::move(function)); }
void Timer::cancel() { impl_->cancel(); }

}  // namespace fastws::net
