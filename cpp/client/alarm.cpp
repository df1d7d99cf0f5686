// The alarm's two system calls.
#include "alarm.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

#include "gate.hpp"

namespace fastws::client {

void Alarm::wake(int sleepers) noexcept {
  // In this order, and the sleeper's the other way round: one of the two sees the other.
  woken_.fetch_add(1);
  if (sleepers_.load() == 0) return;
  ::syscall(SYS_futex, &woken_, FUTEX_WAKE_PRIVATE, sleepers, nullptr, nullptr, 0);
}

void Alarm::wake_all() noexcept { wake(INT_MAX); }

void Alarm::sleep_until(std::unique_lock<std::mutex>& lock, std::chrono::steady_clock::time_point until) {
  static_assert(sizeof woken_ == sizeof(std::uint32_t), "a futex is 32 bits");
  const std::uint32_t seen = woken_.load();
  sleepers_.fetch_add(1);
  lock.unlock();  // before the gate is left: a fork must find it free
  Gate& gate = Gate::instance();
  gate.leave();
  const auto since_boot = until.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  std::timespec limit{};
  limit.tv_sec = static_cast<std::time_t>(seconds.count());
  limit.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since_boot - seconds).count());
  // Whatever it says: woken, too late to sleep, interrupted, or the time is over. An absolute time of CLOCK_MONOTONIC.
  ::syscall(SYS_futex, &woken_, FUTEX_WAIT_BITSET_PRIVATE, seen, &limit, nullptr, FUTEX_BITSET_MATCH_ANY);
  sleepers_.fetch_sub(1);
  gate.enter();
  lock.lock();
}

}  // namespace fastws::client
