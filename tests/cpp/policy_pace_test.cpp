// What is a burst, and what is not: by the times of sends alone.
#include "policy/pace.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

using fastws::policy::Pace;

std::vector<bool> judged(const std::vector<double>& microseconds) {
  Pace pace;
  std::vector<bool> bursts;
  for (const double at : microseconds) bursts.push_back(pace.burst(1000.0 + at * 1e-6));
  return bursts;
}

TEST(Pace, AFewInARowAreNoBurst) { EXPECT_EQ(judged({0, 2, 4}), (std::vector<bool>{false, false, false})); }

TEST(Pace, ManyInARowAre) {
  EXPECT_EQ(judged({0, 2, 4, 6, 8}), (std::vector<bool>{false, false, false, true, true}));
}

TEST(Pace, OneAfterAPauseBeginsAgain) {
  EXPECT_EQ(judged({0, 2, 4, 6, 100, 102}), (std::vector<bool>{false, false, false, true, false, false}));
}

TEST(Pace, RoundTripsAreNoBurst) {
  EXPECT_EQ(judged({0, 30, 60, 90, 120, 150}), std::vector<bool>(6, false));
}

}  // namespace
