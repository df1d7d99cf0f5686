// What a consumer sleeps on until something is there for it.
//
// A condition variable of glibc's takes its mutex back as if others waited for it, so that every wake-up ends in a system call
// for nobody, before the message is read. This asks the kernel for the sleep and for the wake-up, and for nothing else.
// May know: the gate; Linux (futex(2)). Promises: who changes something under the lock and then wakes is noticed by whoever
// gave the lock up to sleep before that; sleepers may wake for nothing.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace fastws::client {

/// Monotonic seconds as a point of the clock that alarms sleep by.
inline std::chrono::steady_clock::time_point time_point(double seconds) {
  return std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(
          std::chrono::duration<double>(seconds)));
}

class Alarm {
 public:
  Alarm() = default;
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  /// With the lock or without it.
  void wake_one() noexcept { wake(1); }
  void wake_all() noexcept;

  /// Gives up the lock, leaves the gate, sleeps; holds both again afterwards.
  void sleep_until(std::unique_lock<std::mutex>& lock, std::chrono::steady_clock::time_point until);

 private:
  void wake(int sleepers) noexcept;

  std::atomic<std::uint32_t> woken_{0};  // times; what the kernel compares before it lets a thread sleep
  std::atomic<std::uint32_t> sleepers_{0};
};

}  // namespace fastws::client
