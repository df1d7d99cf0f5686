// What is a burst, and for how long it is left to itself: by the times and the numbers of sends alone.
#include "policy/pace.hpp"

#include <gtest/gtest.h>

namespace {

using fastws::policy::Pace;
using fastws::policy::Rounds;

/// How many of so many sends, this many microseconds apart, are not of a burst.
int alone(Pace& pace, double& now, int sends, double apart) {
  int count = 0;
  for (int number = 0; number < sends; ++number) {
    if (!pace.burst(now)) ++count;
    now += apart * 1e-6;
  }
  return count;
}

TEST(Pace, AFewInARowAreNoBurstAndManyAre) {
  Pace pace;
  double now = 1000.0;
  EXPECT_EQ(alone(pace, now, Pace::alone, 2), Pace::alone);
  EXPECT_EQ(alone(pace, now, 100, 2), 0);
}

TEST(Pace, AfterAPauseItBeginsAgain) {
  Pace pace;
  double now = 1000.0;
  alone(pace, now, 100, 2);
  now += 30e-6;
  EXPECT_EQ(alone(pace, now, 100, 2), Pace::alone);
}

TEST(Pace, RoundTripsAreNoBurst) {
  Pace pace;
  double now = 1000.0;
  EXPECT_EQ(alone(pace, now, 1000, 20), 1000);
}

TEST(Rounds, GrowWithTheBurstAndAreShortWhenItMayBeOver) {
  Rounds rounds;
  EXPECT_DOUBLE_EQ(rounds.after(1), 25e-6);
  EXPECT_DOUBLE_EQ(rounds.after(100), 50e-6);
  EXPECT_DOUBLE_EQ(rounds.after(100), 100e-6);
  EXPECT_DOUBLE_EQ(rounds.after(100), 100e-6);
  EXPECT_DOUBLE_EQ(rounds.after(2), 25e-6);
}

}  // namespace
