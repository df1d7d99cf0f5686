// When a burst of drops is told, for all who lose messages by choice: the inbox and the offline queue.
//
// May know: nothing; times and numbers are arguments. Promises: what is dropped is told a second after the last drop, or ten
// seconds after the first while they go on, so that a consumer who is always too slow hears of it, too.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace fastws::policy {

/// What was dropped, as it is told. Times are monotonic, in seconds.
struct Dropped {
  std::uint64_t count = 0;
  double first_at = 0.0;
  double last_at = 0.0;
  bool continued = false;  // the same burst was told of before
};

class Burst {
 public:
  static constexpr double pause = 1.0;     // without a drop: the end
  static constexpr double longest = 10.0;  // until what was dropped so far is told

  void add(std::uint64_t count, double now) noexcept {
    if (dropped_.count == 0) dropped_.first_at = now;
    dropped_.count += count;
    dropped_.last_at = now;
  }

  /// What is to be told at `now`, once.
  std::optional<Dropped> take(double now) noexcept {
    if (dropped_.count == 0 || now < due()) return std::nullopt;
    const Dropped told = dropped_;
    dropped_ = {0, told.last_at, told.last_at, true};
    return told;
  }

  [[nodiscard]] bool over(double now) const noexcept { return now >= dropped_.last_at + pause; }

  /// When to ask again.
  [[nodiscard]] double due() const noexcept {
    const double ends = dropped_.last_at + pause;
    return dropped_.count == 0 ? ends : std::min(ends, dropped_.first_at + longest);
  }

 private:
  Dropped dropped_;
};

}  // namespace fastws::policy
