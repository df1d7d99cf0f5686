// Whether questions and answers follow each other so fast that it pays to wait for the next one awake.
//
// A CPU that fell asleep for want of work takes tens of microseconds to come back, in a virtual machine more than all the rest
// of a local round trip. Awake it costs CPU time, so that is for exchanges which keep the CPU busy anyway.
// May know: nothing; times and numbers are arguments. Promises: nothing for a connection that only receives, for one that
// only sends, and for one that rests: there it is a comparison for each read.
#pragma once

#include <algorithm>
#include <cstdint>

namespace fastws::policy {

class BusyPoll {
 public:
  static constexpr double longest = 300e-6;  // seconds from one read to the next
  static constexpr int enough = 3;           // of them in a row, with something sent in between

  /// Something was read at `now` (monotonic seconds), `sent` messages were sent so far. Until when to poll for what comes
  /// next; 0 = not at all.
  double after_read(double now, std::uint64_t sent) noexcept {
    const bool exchange = sent != sent_ && now - last_ < longest;
    in_a_row_ = exchange ? std::min(in_a_row_ + 1, enough) : 0;
    sent_ = sent;
    last_ = now;
    return in_a_row_ == enough ? now + longest : 0.0;
  }

 private:
  double last_ = 0.0;
  std::uint64_t sent_ = 0;
  int in_a_row_ = 0;
};

}  // namespace fastws::policy
