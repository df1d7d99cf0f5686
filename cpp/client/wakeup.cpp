// An eventfd, and a list of who rang: only the first of them makes the system call.
#include "wakeup.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace fastws::client {

std::shared_ptr<Wakeup> Wakeup::make() {
  net::Descriptor made(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!made) return nullptr;
  return std::make_shared<Wakeup>(std::move(made));
}

void Wakeup::rang(std::uint64_t number) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    rung_.push_back(number);
    if (rung_.size() > 1) return;  // whoever was the first has written, or is about to
  }
  // Without the lock: the thread that this wakes takes it at once. An answer in between leaves one wake-up with nothing to
  // answer. It can not fail: the counter is far from full.
  const std::uint64_t once = 1;
  [[maybe_unused]] const auto written = ::write(descriptor_.get(), &once, sizeof once);
}

std::vector<std::uint64_t> Wakeup::answer() {
  std::uint64_t rings = 0;
  // Nothing to read is no error: the loop may look without having been woken. Only then the list: who comes in between is
  // in it, and who comes later writes.
  [[maybe_unused]] const auto size = ::read(descriptor_.get(), &rings, sizeof rings);
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(rung_, {});
}

}  // namespace fastws::client
