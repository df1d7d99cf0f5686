// Things that leave a queue in order, and those who wait until what stands in it now has left.
//
// May know: the alarm, the bell. Promises: guarded by its owner's mutex; whoever waits is told when one of the things it waits
// for was lost on the way, however late it looks; who does not sleep here but looks now and then hears the bell.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "alarm.hpp"
#include "bell.hpp"

namespace fastws::client {

class Departures {
 public:
  /// One who waits: for the first `mark` things, counted from the beginning.
  struct Watch {
    std::uint64_t mark = 0;
    bool lost = false;
  };
  enum class Waited : std::uint8_t { left, lost, not_yet };

  explicit Departures(Bell* bell = nullptr) noexcept : bell_(bell) {}

  void arrive(std::uint64_t count = 1) noexcept { arrived_ += count; }
  /// The oldest have left as they should.
  void leave(std::uint64_t count = 1);
  /// The oldest have left otherwise.
  void lose(std::uint64_t count = 1);

  /// Waits for everything that has arrived by now.
  std::shared_ptr<Watch> watch();
  /// Sleeps until it is so, or `until` (monotonic seconds; nullopt = for ever).
  Waited wait(std::unique_lock<std::mutex>& lock, const Watch& watch, std::optional<double> until);

 private:
  /// Those who wait, and what they sleep on.
  struct Waiters {
    std::vector<std::weak_ptr<Watch>> watches;
    Alarm changed;
  };

  void tell();

  Bell* const bell_;
  std::uint64_t arrived_ = 0;
  std::uint64_t left_ = 0;
  std::unique_ptr<Waiters> waiters_;  // made by the first: most connections are never waited for
};

}  // namespace fastws::client
