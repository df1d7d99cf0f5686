// An eventfd, and a flag that keeps all but the first ring from the system call.
#include "bell.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

namespace fastws::client {

int Bell::open() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (descriptor_ == nullptr) {
    net::Descriptor made(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!made) return -1;
    descriptor_ = std::make_shared<const net::Descriptor>(std::move(made));
    rung_.store(false);
    open_.store(true);
  }
  return descriptor_->get();
}

void Bell::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  open_.store(false);
  descriptor_.reset();
}

std::shared_ptr<const net::Descriptor> Bell::descriptor() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return descriptor_;
}

void Bell::ring() {
  if (!open_.load() || rung_.exchange(true)) return;
  const auto watched = descriptor();
  if (watched == nullptr) return;  // closed meanwhile
  const std::uint64_t once = 1;
  // It can not fail: the counter is far from full, since only the first ring after quiet() comes here.
  [[maybe_unused]] const auto written = ::write(watched->get(), &once, sizeof once);
}

void Bell::quiet() {
  const auto watched = descriptor();
  if (watched == nullptr) return;
  std::uint64_t rings = 0;
  // Nothing to read is no error: the loop may look without having been woken.
  [[maybe_unused]] const auto size = ::read(watched->get(), &rings, sizeof rings);
  // Only now: a ring in between writes nothing, and what it stands for is found by who called.
  rung_.store(false);
}

}  // namespace fastws::client
