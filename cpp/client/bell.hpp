// What wakes an event loop of Python: a descriptor that becomes readable when something happened to its client.
//
// May know: descriptors. Promises: ring() never waits and takes no GIL; it writes once until quiet(), however often it is
// called, and nothing at all while nobody has opened the bell; a descriptor that was closed is never written to.
#pragma once

#include <atomic>
#include <memory>
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
  [[nodiscard]] std::shared_ptr<const net::Descriptor> descriptor();

  std::mutex mutex_;  // a leaf: nothing else is locked under it
  // Whoever writes or reads shares it, and needs no lock for that: a write wakes a thread that comes here at once.
  std::shared_ptr<const net::Descriptor> descriptor_;
  std::atomic<bool> open_{false};
  std::atomic<bool> rung_{false};
};

}  // namespace fastws::client
