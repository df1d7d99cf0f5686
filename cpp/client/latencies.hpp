// How long messages waited, as a histogram of fixed size on a logarithmic scale.
//
// May know: nothing of this project. Promises: a few instructions to add; memory only for the powers of two that were met,
// 2.8 KB if all were; any share is told within 6.25 %, the longest exactly; one thread at a time adds, any thread may look.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace fastws::client {

class Latencies {
 public:
  Latencies() = default;
  ~Latencies();
  Latencies(const Latencies&) = delete;
  Latencies& operator=(const Latencies&) = delete;

  /// So many messages waited so long.
  void add(double seconds, std::uint64_t messages = 1) noexcept;

  /// Seconds that `share` (0 to 1) of all messages waited at most; 0 while there was none.
  [[nodiscard]] double at_most(double share) const noexcept;
  [[nodiscard]] double longest() const noexcept;

 private:
  static constexpr unsigned steps_bits = 3;  // eight buckets from one power of two nanoseconds to the next
  static constexpr unsigned steps = 1U << steps_bits;
  static constexpr unsigned most_bits =
      41;  // 2^41 ns are 37 minutes; what waited longer is in the last bucket

  static constexpr unsigned octaves = most_bits - steps_bits + 1;
  using Octave = std::array<std::atomic<std::uint64_t>, steps>;

  static std::size_t bucket_of(std::uint64_t nanoseconds) noexcept;
  static double middle_of(std::size_t bucket) noexcept;

  // An octave is made when a wait first falls into it, for most clients meet a few of them; the list of them by the first
  // wait of all.
  using Octaves = std::array<std::atomic<Octave*>, octaves>;
  std::atomic<Octaves*> counts_{nullptr};
  std::atomic<std::uint64_t> longest_{0};
};

}  // namespace fastws::client
