// Ping payloads are numbers, so that a Pong names the Ping it answers.
#include "heartbeat.hpp"

#include <cstring>

namespace fastws::client {

namespace {

constexpr std::size_t most_awaited = 64;

}  // namespace

Heartbeat::Ping Heartbeat::next(double now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Ping ping;
  ping.number = ++sent_;
  ping.payload.resize(sizeof(ping.number));
  std::memcpy(ping.payload.data(), &ping.number, sizeof(ping.number));
  if (sent_at_.size() == most_awaited) sent_at_.erase(sent_at_.begin());
  sent_at_.push_back(now);
  return ping;
}

bool Heartbeat::answered(std::string_view payload, double now) {
  std::uint64_t number = 0;
  if (payload.size() != sizeof(number)) return false;
  std::memcpy(&number, payload.data(), sizeof(number));
  const std::lock_guard<std::mutex> lock(mutex_);
  if (number > sent_ || number <= answered_ || number <= first_open_) return false;
  answered_ = number;
  const std::uint64_t forgotten = sent_ - sent_at_.size();  // pings older than the first that is remembered
  if (number > forgotten) {
    const auto here = sent_at_.begin() + static_cast<std::ptrdiff_t>(number - forgotten - 1);
    latency_ = now - *here;
    sent_at_.erase(sent_at_.begin(), here + 1);
  }
  return true;
}

void Heartbeat::reset() {
  const std::lock_guard<std::mutex> lock(mutex_);
  first_open_ = sent_;
  sent_at_.clear();
}

std::optional<double> Heartbeat::round_trip(std::uint64_t number) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (answered_ < number) return std::nullopt;
  return latency_;
}

std::optional<double> Heartbeat::latency() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return latency_;
}

}  // namespace fastws::client
