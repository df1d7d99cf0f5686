// The process-wide gate: a readers-writer lock whose readers never block each other, and a door that closes once.
#include "gate.hpp"

#include <chrono>
#include <thread>

namespace fastws::client {

namespace {

// Replaced in a fork's child, where the old one may count threads that do not exist any more; it is leaked there.
std::atomic<Gate*> the_gate{new Gate};

// This thread has taken it: what it runs until its fork is done, a garbage collection or another's hook, must not wait for it.
thread_local bool forking = false;

}  // namespace

Gate& Gate::instance() noexcept { return *the_gate.load(std::memory_order_acquire); }

void Gate::renew_after_fork() {
  forking = false;
  the_gate.store(new Gate, std::memory_order_release);
}

bool Gate::admit() noexcept {
  admitted_.fetch_add(1);  // before looking: whoever closes it counts after that
  if (!closed_.load()) return true;
  admitted_.fetch_sub(1);
  return false;
}

void Gate::dismiss() noexcept { admitted_.fetch_sub(1); }

void Gate::enter() {
  for (;;) {
    inside_.fetch_add(1);
    if (!taken_.load() || forking) return;
    inside_.fetch_sub(1);
    std::unique_lock<std::mutex> lock(mutex_);
    released_.wait(lock, [this] { return !taken_.load(); });
  }
}

void Gate::leave() { inside_.fetch_sub(1); }

void Gate::take() {
  std::unique_lock<std::mutex> lock(mutex_);
  released_.wait(lock, [this] { return !taken_.load(); });  // two threads may fork at once
  taken_.store(true);
  lock.unlock();
  forking = true;
  // Calls inside never wait for Python or the network while they hold the gate, so this ends in microseconds.
  while (inside_.load() != 0) std::this_thread::sleep_for(std::chrono::microseconds(20));
}

void Gate::release() {
  forking = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    taken_.store(false);
  }
  released_.notify_all();
}

void Gate::close() noexcept { closed_.store(true); }

bool Gate::closed() const noexcept { return closed_.load(); }

bool Gate::wait_empty(double seconds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (admitted_.load() != 0) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return true;
}

}  // namespace fastws::client
