// A bucket is told by the highest bit of the nanoseconds and the three below it.
#include "latencies.hpp"

#include <algorithm>
#include <cmath>

namespace fastws::client {

namespace {

void increase(std::atomic<std::uint64_t>& count) noexcept {
  // One thread adds: no locked instruction is needed.
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

std::size_t Latencies::bucket_of(std::uint64_t nanoseconds) noexcept {
  if (nanoseconds < steps) return nanoseconds;
  const auto highest = 63U - static_cast<unsigned>(__builtin_clzll(nanoseconds));
  if (highest >= most_bits) return steps * (most_bits - steps_bits + 1) - 1;
  return steps * (highest - steps_bits + 1) + (nanoseconds >> (highest - steps_bits) & (steps - 1));
}

double Latencies::middle_of(std::size_t bucket) noexcept {
  if (bucket < steps) return static_cast<double>(bucket) * 1e-9;
  const auto octave = static_cast<int>(bucket / steps) - 1;
  const double low = static_cast<double>(steps + bucket % steps);
  return std::ldexp(low + 0.5, octave) * 1e-9;
}

void Latencies::add(double seconds) noexcept {
  const auto nanoseconds = static_cast<std::uint64_t>(std::max(0.0, seconds) * 1e9);
  increase(counts_[bucket_of(nanoseconds)]);
  if (nanoseconds > longest_.load(std::memory_order_relaxed)) {
    longest_.store(nanoseconds, std::memory_order_relaxed);
  }
}

double Latencies::at_most(double share) const noexcept {
  std::uint64_t all = 0;
  for (const auto& count : counts_) all += count.load(std::memory_order_relaxed);
  const double wanted = share * static_cast<double>(all);
  std::uint64_t so_far = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    so_far += counts_[bucket].load(std::memory_order_relaxed);
    if (so_far > 0 && static_cast<double>(so_far) >= wanted) return std::min(middle_of(bucket), longest());
  }
  return longest();
}

double Latencies::longest() const noexcept {
  return static_cast<double>(longest_.load(std::memory_order_relaxed)) * 1e-9;
}

}  // namespace fastws::client
