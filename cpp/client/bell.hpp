// What wakes an event loop of Python: a descriptor that becomes readable when something happened to its client.
//
// May know: descriptors. Promises: ring() never waits and takes no GIL; it writes once until quiet(), however often it is
// called, and nothing at all while nobody has opened the bell; a descriptor that was closed is never written to.
#pragma once

#include <atomic>
#include <mutex>

#include "../net/descriptors.hpp"

namespace fastws::client {

class Bell {
 public:
  /// Opens the bell; the descriptor to watch, which it keeps. -1 = the system gave none (errno says why).
  int open();
  /// The descriptor goes; whoever watched it must have stopped.
  void close();
  /// Any thread, under any lock of ours: something happened that whoever watches may be waiting for.
  void ring();
  /// Whoever watches: it is going to look for everything that may have happened before this call.
  void quiet();

 private:
  std::mutex mutex_;  // a leaf: nothing else is locked under it
  net::Descriptor descriptor_;
  std::atomic<bool> open_{false};
  std::atomic<bool> rung_{false};
};

}  // namespace fastws::client
