// One state decides where a message goes, and changes only under the mutex that also guards what is stored.
#include "offline.hpp"

#include <utility>

namespace fastws::client {

namespace {

constexpr std::size_t release_bytes = std::size_t{256} << 10;  // framed at a time

}  // namespace

bool Offline::has_room(std::size_t size) const noexcept {
  // One message of any allowed size passes an empty queue.
  return stored_.empty() || (stored_.size() < options_.messages && bytes_ + size <= options_.bytes);
}

void Offline::count_drop(std::uint64_t count, double now) {
  if (count == 0) return;
  dropped_ += count;
  if (!burst_) burst_.emplace();
  burst_->add(count, now);
}

void Offline::drop_oldest(double now) {
  bytes_ -= stored_.front().payload.size();
  stored_.pop_front();
  departures_.lose();
  count_drop(1, now);
}

void Offline::drop_expired(double now) {
  if (!options_.ttl) return;
  while (!stored_.empty() && now - stored_.front().since >= *options_.ttl) drop_oldest(now);
}

Offline::Put Offline::put(engine::Opcode opcode, std::string_view payload, double now, std::uint64_t& epoch) {
  const std::lock_guard<std::mutex> lock(mutex_);
  switch (state_) {
    case State::direct: epoch = epoch_; return Put::direct;
    case State::closed: ++dropped_; return Put::dropped;  // the caller is told: no burst
    case State::storing: break;
  }
  drop_expired(now);
  if (!has_room(payload.size())) {
    switch (options_.on_full) {
      case OfflineOptions::Full::raise: return Put::refused;
      case OfflineOptions::Full::drop_newest: count_drop(1, now); return Put::dropped;
      case OfflineOptions::Full::drop_oldest: break;
    }
    while (!has_room(payload.size())) drop_oldest(now);
  }
  stored_.push_back({opcode, std::string(payload), now});
  bytes_ += payload.size();
  departures_.arrive();
  return Put::stored;
}

void Offline::hold() {
  const std::lock_guard<std::mutex> lock(mutex_);
  state_ = State::storing;
}

void Offline::lost(std::uint64_t epoch) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (state_ == State::direct && epoch_ == epoch) state_ = State::storing;
}

void Offline::close(bool tell, double now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  state_ = State::closed;
  if (tell) {
    count_drop(stored_.size(), now);
  } else {
    dropped_ += stored_.size();
    burst_.reset();  // nothing is told after close()
  }
  departures_.lose(stored_.size());
  stored_.clear();
  bytes_ = 0;
}

void Offline::release(std::uint64_t epoch, double now, const std::function<bool()>& is_open,
                      const Push& push) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // A late word about an older connection: the present one has its own.
  if (state_ != State::storing || !is_open()) return;
  drop_expired(now);
  while (!stored_.empty()) {
    Frames frames;
    std::size_t size = 0;
    auto end = stored_.begin();
    for (; end != stored_.end() && frames.bytes.size() < release_bytes; ++end) {
      frames.add(end->opcode, end->payload);
      size += end->payload.size();
    }
    if (!push(frames)) return;
    stored_.erase(stored_.begin(), end);
    bytes_ -= size;
    departures_.leave(frames.sizes.size());
  }
  state_ = State::direct;
  epoch_ = epoch;
}

std::shared_ptr<Departures::Watch> Offline::watch() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return departures_.watch();
}

Departures::Waited Offline::await_left(const Departures::Watch& watch, std::optional<double> until) {
  std::unique_lock<std::mutex> lock(mutex_);
  return departures_.wait(lock, watch, until);
}

std::optional<policy::Dropped> Offline::take_dropped(double now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!burst_) return std::nullopt;
  const auto dropped = burst_->take(now);
  if (burst_->over(now)) burst_.reset();
  return dropped;
}

std::optional<double> Offline::burst_check() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!burst_) return std::nullopt;
  return burst_->due();
}

Offline::Counts Offline::counts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {dropped_, stored_.size(), bytes_};
}

}  // namespace fastws::client
