// Exponential growth, clamped first and jittered after, so that the jitter does not vanish at the cap.
#include "backoff.hpp"

#include <cmath>

namespace fastws::policy {

double longest_delay(const Backoff& backoff, std::uint32_t failures) noexcept {
  const double grown = backoff.base * std::pow(backoff.factor, static_cast<double>(failures));
  return grown < backoff.cap ? grown : backoff.cap;  // an overflow, to infinity or to NaN, is the cap as well
}

double jittered(const Backoff& backoff, double longest, double drawn) noexcept {
  return longest * (1.0 - backoff.jitter * drawn);
}

double delay(const Backoff& backoff, std::uint32_t failures, double drawn) noexcept {
  return jittered(backoff, longest_delay(backoff, failures), drawn);
}

}  // namespace fastws::policy
