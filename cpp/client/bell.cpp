// A flag that keeps all but the first ring from waking anybody.
#include "bell.hpp"

#include <utility>

namespace fastws::client {

void Bell::open(std::shared_ptr<Wakeup> wakeup, std::uint64_t number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  wakeup_ = std::move(wakeup);
  number_ = number;
  rung_.store(false);
  open_.store(true);
}

void Bell::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  open_.store(false);
  wakeup_.reset();
}

void Bell::ring() {
  if (!open_.load() || rung_.exchange(true)) return;
  std::shared_ptr<Wakeup> woken;
  std::uint64_t number = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    woken = wakeup_;
    number = number_;
  }
  if (woken != nullptr) woken->rang(number);  // else it was closed meanwhile
}

}  // namespace fastws::client
