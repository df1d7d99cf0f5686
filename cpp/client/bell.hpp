// A client's bell: rung when something happened that whoever looks without sleeping, in an event loop, may be waiting for.
//
// May know: what wakes the loop. Promises: ring() never waits and takes no GIL; it wakes once until quiet(), however often
// it is called, and nobody at all while the bell is not open.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "wakeup.hpp"

namespace fastws::client {

class Bell {
 public:
  /// Rings wake this one from now on, under this number.
  void open(std::shared_ptr<Wakeup> wakeup, std::uint64_t number);
  /// They wake nobody any more.
  void close();
  /// Any thread, under any lock of ours: something happened that whoever watches may be waiting for.
  void ring();
  /// Whoever was woken: it is going to look for everything that may have happened before this call.
  void quiet() noexcept { rung_.store(false); }

 private:
  std::mutex mutex_;  // nothing else is locked under it
  // Whoever rings shares it, and needs no lock to wake: the thread that is woken may come here at once.
  std::shared_ptr<Wakeup> wakeup_;
  std::uint64_t number_ = 0;
  std::atomic<bool> open_{false};
  std::atomic<bool> rung_{false};
};

}  // namespace fastws::client
