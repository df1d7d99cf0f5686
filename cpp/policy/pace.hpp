// Whether sends follow each other so fast that it pays to gather them, and for how long at a time.
//
// May know: nothing; times and numbers are arguments. Promises: a send alone, and those of a small group, are not a burst:
// they are written at once, so that a question does not wait for another thread.
#pragma once

#include <algorithm>
#include <cstddef>

namespace fastws::policy {

/// The senders' side: is this a burst?
class Pace {
 public:
  // Less than a round trip takes, more than serialising and writing a small object.
  static constexpr double gap_seconds = 10e-6;
  static constexpr int alone = 16;  // of those in a row, the first so many

  /// One more send, at `now` (monotonic seconds). True = it belongs to a burst.
  bool burst(double now) noexcept {
    in_a_row_ = now - last_ < gap_seconds ? in_a_row_ + 1 : 0;
    last_ = now;
    return in_a_row_ >= alone;
  }

 private:
  double last_ = 0.0;
  int in_a_row_ = 0;
};

/// The other side: how long to leave a burst to itself. Longer while it lasts; short for one that may be over, whose last
/// messages somebody may be waiting for.
class Rounds {
 public:
  static constexpr double shortest = 25e-6;
  static constexpr double longest = 100e-6;

  /// Seconds until the next round, when this one found so many messages.
  double after(std::size_t found) noexcept {
    seconds_ = found < few ? shortest : std::min(seconds_ * 2, longest);
    return seconds_;
  }

 private:
  static constexpr std::size_t few = 4;

  double seconds_ = shortest;
};

}  // namespace fastws::policy
