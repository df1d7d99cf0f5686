// When it pays to wait awake: by the times of reads and the numbers of sends alone.
#include "policy/busy_poll.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace {

using fastws::policy::BusyPoll;

/// A connection whose reads are `apart` microseconds from each other, `sends` messages sent before each.
struct Connection {
  BusyPoll poll;
  double now = 1000.0;
  std::uint64_t sent = 0;

  /// So many reads: how many of them asked for polling.
  int reads(int count, double apart, std::uint64_t sends) {
    int asked = 0;
    for (int number = 0; number < count; ++number) {
      now += apart * 1e-6;
      sent += sends;
      if (poll.after_read(now, sent) != 0.0) ++asked;
    }
    return asked;
  }
};

TEST(BusyPoll, QuickExchangesArePolledForOnceThereAreEnough) {
  Connection connection;
  EXPECT_EQ(connection.reads(1 + BusyPoll::enough - 1, 100, 1), 0) << "the first read has none before it";
  EXPECT_EQ(connection.reads(100, 100, 1), 100);
}

TEST(BusyPoll, ItLastsAsLongAsTheNextOneMayTake) {
  BusyPoll poll;
  double now = 5.0;
  double until = 0.0;
  for (std::uint64_t sent = 1; until == 0.0; ++sent) until = poll.after_read(now += 1e-4, sent);
  EXPECT_DOUBLE_EQ(until, now + BusyPoll::longest);
}

TEST(BusyPoll, WhoOnlyReceivesSleeps) {
  Connection connection;
  EXPECT_EQ(connection.reads(1000, 5, 0), 0);
}

TEST(BusyPoll, SlowExchangesSleep) {
  Connection connection;
  EXPECT_EQ(connection.reads(1000, BusyPoll::longest * 1e6 + 1, 3), 0);
}

TEST(BusyPoll, OnePauseEndsIt) {
  Connection connection;
  connection.reads(100, 100, 1);
  EXPECT_EQ(connection.reads(1, 1000, 1), 0);
  EXPECT_EQ(connection.reads(BusyPoll::enough - 1, 100, 1), 0);
  EXPECT_EQ(connection.reads(1, 100, 1), 1);
}

TEST(BusyPoll, OneReadWithNothingSentEndsIt) {
  Connection connection;
  connection.reads(100, 100, 1);
  EXPECT_EQ(connection.reads(1, 100, 0), 0);
  EXPECT_EQ(connection.reads(BusyPoll::enough - 1, 100, 1), 0);
}

}  // namespace
