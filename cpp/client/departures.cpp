// Two counters and the marks between them.
#include "departures.hpp"

#include <algorithm>
#include <chrono>

namespace fastws::client {

void Departures::leave(std::uint64_t count) {
  left_ += count;
  tell();
}

void Departures::lose(std::uint64_t count) {
  if (count == 0) return;
  if (waiters_ != nullptr) {
    for (const auto& weak : waiters_->watches) {
      const auto one = weak.lock();
      if (one && one->mark > left_) one->lost = true;
    }
  }
  left_ += count;
  tell();
}

void Departures::tell() {
  if (waiters_ == nullptr || waiters_->watches.empty()) return;  // nobody waits: nothing per message
  auto& watches = waiters_->watches;
  const auto over = [this](const std::weak_ptr<Watch>& weak) {
    const auto one = weak.lock();
    return !one || one->mark <= left_;
  };
  const auto kept = std::remove_if(watches.begin(), watches.end(), over);
  if (kept == watches.end()) return;
  watches.erase(kept, watches.end());
  waiters_->changed.wake_all();
  if (bell_ != nullptr) bell_->ring();
}

std::shared_ptr<Departures::Watch> Departures::watch() {
  auto made = std::make_shared<Watch>();
  made->mark = arrived_;
  if (made->mark > left_) {
    if (waiters_ == nullptr) waiters_ = std::make_unique<Waiters>();
    waiters_->watches.push_back(made);
  }
  return made;
}

Departures::Waited Departures::wait(std::unique_lock<std::mutex>& lock, const Watch& watch,
                                    std::optional<double> until) {
  for (;;) {
    if (watch.lost) return Waited::lost;
    if (watch.mark <= left_) return Waited::left;
    const auto now = std::chrono::steady_clock::now();
    const auto limit = until ? time_point(*until) : now + std::chrono::hours(1);
    if (until && now >= limit) return Waited::not_yet;
    waiters_->changed.sleep_until(lock, limit);  // there since watch(), for this one had not left
  }
}

}  // namespace fastws::client
