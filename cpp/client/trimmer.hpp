// Tells the C library, when many connections have gone quiet, to give the memory that they freed back to the system.
//
// May know: the loop. Promises: belongs to the I/O thread; never while there were but a few connections; takes at most a
// fiftieth of its time.
//
// glibc gives back by itself only what lies above everything that lives longer. What openings and bursts needed for a moment
// (25 KiB a TLS handshake, 64 KiB a read in parts) lies between what connections keep.
#pragma once

#include "../net/loop.hpp"

namespace fastws::client {

class Trimmer {
 public:
  explicit Trimmer(net::Loop& loop) : timer_(loop) {}

  /// A connection has gone quiet after it opened or received much.
  void went_quiet();

 private:
  void trim();

  net::Timer timer_;
  unsigned waiting_ = 0;     // connections that went quiet since the last time
  bool crowd_ = false;       // once there were many; then it is done for the last few of them, too
  double not_before_ = 0.0;  // monotonic seconds
};

}  // namespace fastws::client
