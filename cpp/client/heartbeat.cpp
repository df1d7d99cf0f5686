// Ping payloads are numbers, so that a Pong names the Ping it answers.
#include "heartbeat.hpp"

#include <cstring>

namespace fastws::client {

Heartbeat::Ping Heartbeat::next(double now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Ping ping;
  ping.number = ++sent_;
  ping.payload.resize(sizeof(ping.number));
  std::memcpy(ping.payload.data(), &ping.number, sizeof(ping.number));
  sent_at_[ping.number % 64] = now;
  return ping;
}

bool Heartbeat::answered(std::string_view payload, double now) {
  std::uint64_t number = 0;
  if (payload.size() != sizeof(number)) return false;
  std::memcpy(&number, payload.data(), sizeof(number));
  const std::lock_guard<std::mutex> lock(mutex_);
  if (number > sent_ || number <= answered_ || number <= first_open_) return false;
  answered_ = number;
  if (sent_ - number < 64) latency_ = now - sent_at_[number % 64];
  return true;
}

void Heartbeat::reset() {
  const std::lock_guard<std::mutex> lock(mutex_);
  first_open_ = sent_;
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
