// Who waits until what stands in a queue has left, and who is told that it never will.
#include "client/departures.hpp"

#include <gtest/gtest.h>

#include <mutex>

#include "client/gate.hpp"
#include "net/loop.hpp"

namespace {

using fastws::client::Departures;
using fastws::client::Inside;
using Waited = Departures::Waited;

struct Fixture {
  Waited look(const Departures::Watch& watch) {
    const Inside inside;
    std::unique_lock<std::mutex> lock(mutex);
    return departures.wait(lock, watch, fastws::net::monotonic_now());
  }
  std::mutex mutex;
  Departures departures;
};

TEST(Departures, NothingToWaitForHasLeft) {
  Fixture one;
  EXPECT_EQ(one.look(*one.departures.watch()), Waited::left);
  one.departures.arrive(2);
  one.departures.leave(2);
  EXPECT_EQ(one.look(*one.departures.watch()), Waited::left);
}

TEST(Departures, WaitsForWhatIsThereAndNotForWhatComes) {
  Fixture one;
  one.departures.arrive(2);
  const auto watch = one.departures.watch();
  one.departures.arrive();
  one.departures.leave();
  EXPECT_EQ(one.look(*watch), Waited::not_yet);
  one.departures.leave();
  EXPECT_EQ(one.look(*watch), Waited::left);
}

TEST(Departures, ALossIsKnownHoweverLateOneLooks) {
  Fixture one;
  one.departures.arrive();
  const auto first = one.departures.watch();
  one.departures.arrive();
  const auto second = one.departures.watch();
  one.departures.leave();
  one.departures.lose();
  one.departures.arrive(10);
  one.departures.leave(10);
  EXPECT_EQ(one.look(*first), Waited::left);
  EXPECT_EQ(one.look(*second), Waited::lost);
}

}  // namespace
