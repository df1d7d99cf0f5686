// Whether sends follow each other so fast that it pays to gather them.
//
// May know: nothing; the time is an argument. Promises: a send alone, and the first few in a row, are not a burst: they are
// written at once, so that a question does not wait for another thread.
#pragma once

namespace fastws::policy {

class Pace {
 public:
  /// One more send, at `now` (monotonic seconds). True = it belongs to a burst.
  bool burst(double now) noexcept {
    in_a_row_ = now - last_ < gap_seconds ? in_a_row_ + 1 : 0;
    last_ = now;
    return in_a_row_ >= enough;
  }

 private:
  // Less than the fastest round trip takes, more than serialising and writing a small object.
  static constexpr double gap_seconds = 20e-6;
  static constexpr int enough = 3;

  double last_ = 0.0;
  int in_a_row_ = 0;
};

}  // namespace fastws::policy
