// How long to wait before the next attempt (reconnect-spec section 4): pure arithmetic.
//
// May know: nothing of this project. Promises: total functions; never NaN, never negative, never above the cap for
// sane settings; the random number is an argument.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace fastws::policy {

struct Backoff {
  double base = 1.0;
  double factor = 2.0;
  double cap = 30.0;
  double jitter = 0.5;
  double min_uptime = 5.0;
  std::optional<std::uint32_t> max_retries;
  std::optional<double> max_elapsed;
  std::map<std::uint16_t, std::pair<double, double>> close_code_delay{{1012, {5.0, 30.0}}};
  std::set<std::uint16_t> fatal_close_codes;
  double retry_after_cap = 300.0;
};

/// The longest wait after `failures` consecutive earlier failures: min(cap, base * factor^failures).
double longest_delay(const Backoff& backoff, std::uint32_t failures) noexcept;

/// Jitter comes after the clamp and only shortens; `drawn` is uniform in [0, 1).
double jittered(const Backoff& backoff, double longest, double drawn) noexcept;

/// The wait itself, before any hint of the server.
double delay(const Backoff& backoff, std::uint32_t failures, double drawn) noexcept;

}  // namespace fastws::policy
