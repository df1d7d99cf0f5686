// An eventfd, and a flag that keeps all but the first ring from the system call.
#include "bell.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace fastws::client {

int Bell::open() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!descriptor_) {
    descriptor_ = net::Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    rung_.store(false);
    open_.store(static_cast<bool>(descriptor_));
  }
  return descriptor_.get();
}

void Bell::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  open_.store(false);
  descriptor_.close();
}

void Bell::ring() {
  if (!open_.load() || rung_.exchange(true)) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!descriptor_) return;  // closed meanwhile: the number may be another file's by now
  const std::uint64_t once = 1;
  // It can not fail: the counter is far from full, since only the first ring after quiet() comes here.
  [[maybe_unused]] const auto written = ::write(descriptor_.get(), &once, sizeof once);
}

void Bell::quiet() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!descriptor_) return;
  std::uint64_t rings = 0;
  // Nothing to read is no error: the loop may look without having been woken.
  [[maybe_unused]] const auto size = ::read(descriptor_.get(), &rings, sizeof rings);
  // Only now: a ring in between writes nothing, and what it stands for is found by who called.
  rung_.store(false);
}

}  // namespace fastws::client
