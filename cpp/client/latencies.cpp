// A bucket is told by the highest bit of the nanoseconds and the three below it.
#include "latencies.hpp"

#include <algorithm>
#include <cmath>
#include <new>

namespace fastws::client {

namespace {

void increase(std::atomic<std::uint64_t>& count, std::uint64_t by) noexcept {
  // One thread adds: no locked instruction is needed.
  count.store(count.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

/// What it points to, which the one thread that adds makes when it is missing; nullptr = there is no memory left.
template <class Part>
Part* made(std::atomic<Part*>& part) noexcept {
  Part* there = part.load(std::memory_order_relaxed);
  if (there == nullptr) {
    there = new (std::nothrow) Part();
    part.store(there, std::memory_order_release);
  }
  return there;
}

}  // namespace

Latencies::~Latencies() {
  const Octaves* all = counts_.load();
  if (all == nullptr) return;
  for (const auto& octave : *all) delete octave.load();
  delete all;
}

std::size_t Latencies::bucket_of(std::uint64_t nanoseconds) noexcept {
  if (nanoseconds < steps) return nanoseconds;
  const auto highest = 63U - static_cast<unsigned>(__builtin_clzll(nanoseconds));
  if (highest >= most_bits) return steps * octaves - 1;
  return steps * (highest - steps_bits + 1) + (nanoseconds >> (highest - steps_bits) & (steps - 1));
}

double Latencies::middle_of(std::size_t bucket) noexcept {
  if (bucket < steps) return static_cast<double>(bucket) * 1e-9;
  const auto octave = static_cast<int>(bucket / steps) - 1;
  const double low = static_cast<double>(steps + bucket % steps);
  return std::ldexp(low + 0.5, octave) * 1e-9;
}

void Latencies::add(double seconds, std::uint64_t messages) noexcept {
  const auto nanoseconds = static_cast<std::uint64_t>(std::max(0.0, seconds) * 1e9);
  const std::size_t bucket = bucket_of(nanoseconds);
  // With no memory left this wait goes uncounted.
  if (Octaves* all = made(counts_)) {
    if (Octave* counts = made((*all)[bucket / steps])) increase((*counts)[bucket % steps], messages);
  }
  if (nanoseconds > longest_.load(std::memory_order_relaxed)) {
    longest_.store(nanoseconds, std::memory_order_relaxed);
  }
}

double Latencies::at_most(double share) const noexcept {
  const Octaves* octaves_met = counts_.load(std::memory_order_acquire);
  if (octaves_met == nullptr) return 0.0;
  const auto count_of = [octaves_met](std::size_t bucket) -> std::uint64_t {
    const Octave* counts = (*octaves_met)[bucket / steps].load(std::memory_order_acquire);
    return counts == nullptr ? 0 : (*counts)[bucket % steps].load(std::memory_order_relaxed);
  };
  std::uint64_t all = 0;
  for (std::size_t bucket = 0; bucket < steps * octaves; ++bucket) all += count_of(bucket);
  const double wanted = share * static_cast<double>(all);
  std::uint64_t so_far = 0;
  for (std::size_t bucket = 0; bucket < steps * octaves; ++bucket) {
    so_far += count_of(bucket);
    if (so_far > 0 && static_cast<double>(so_far) >= wanted) return std::min(middle_of(bucket), longest());
  }
  return longest();
}

double Latencies::longest() const noexcept {
  return static_cast<double>(longest_.load(std::memory_order_relaxed)) * 1e-9;
}

}  // namespace fastws::client
