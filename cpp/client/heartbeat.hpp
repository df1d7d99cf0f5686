// Pings and their answers: which Ping a Pong belongs to, and how long it took.
//
// May know: nothing of this project. Promises: a Pong nobody asked for changes nothing; any thread may ask. When to ping
// for liveness, and when a silence is too long, is policy/lifecycle's to say.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fastws::client {

class Heartbeat {
 public:
  struct Ping {
    std::uint64_t number = 0;
    std::string payload;
  };

  /// A new Ping's number and payload (8 bytes).
  Ping next(double now);
  /// Takes a Pong's payload. A Pong answers every earlier Ping as well (RFC 6455 section 5.5.3). True = it was ours.
  bool answered(std::string_view payload, double now);
  /// The connection ended: no answer will come.
  void reset();
  /// How long the answer to this Ping, or to a later one, took; nullopt = it has not come.
  [[nodiscard]] std::optional<double> round_trip(std::uint64_t number) const;
  [[nodiscard]] std::optional<double> latency() const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t first_open_ = 0;  // pings up to this one belong to connections that ended
  std::vector<double> sent_at_;   // of those that are not answered, at most the newest 64
  std::optional<double> latency_;
};

}  // namespace fastws::client
