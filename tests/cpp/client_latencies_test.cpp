// Percentiles from a histogram: within what it promises of the exact ones, on every scale.
#include "client/latencies.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace {

using fastws::client::Latencies;

TEST(Latencies, AreZeroWhileNothingWaited) {
  const Latencies latencies;
  EXPECT_EQ(latencies.at_most(0.5), 0.0);
  EXPECT_EQ(latencies.longest(), 0.0);
}

TEST(Latencies, AreWithinSixAndAQuarterPercent) {
  std::mt19937 random(1);
  for (const double typical : {1e-8, 1e-6, 3e-5, 0.002, 0.7, 40.0}) {
    Latencies latencies;
    std::vector<double> exact;
    std::lognormal_distribution<double> waits(std::log(typical), 1.0);
    for (int count = 0; count < 20000; ++count) {
      exact.push_back(waits(random));
      latencies.add(exact.back());
    }
    std::sort(exact.begin(), exact.end());
    for (const double share : {0.5, 0.9, 0.99, 0.999}) {
      const double wanted = exact[static_cast<std::size_t>(share * 20000.0) - 1];
      EXPECT_NEAR(latencies.at_most(share), wanted, wanted * 0.0625 + 1e-9) << typical << " " << share;
    }
    EXPECT_NEAR(latencies.longest(), exact.back(), 2e-9);
  }
}

TEST(Latencies, CountTheMessagesOfOneRead) {
  Latencies latencies;
  latencies.add(0.001, 90);
  latencies.add(1.0, 10);
  EXPECT_NEAR(latencies.at_most(0.9), 0.001, 0.0001);
  EXPECT_NEAR(latencies.at_most(0.91), 1.0, 0.0625);
}

TEST(Latencies, TakeAnything) {
  Latencies latencies;
  for (const double seconds : {-1.0, 0.0, 1e-9, 7e-9, 8e-9, 1e6}) latencies.add(seconds);
  EXPECT_DOUBLE_EQ(latencies.longest(), 1e6);
  EXPECT_EQ(latencies.at_most(0.0), 0.0);
  EXPECT_GT(latencies.at_most(1.0), 2000.0);  // the last bucket begins at 37 minutes
}

TEST(Latencies, NoShareIsAboveTheLongest) {
  Latencies latencies;
  for (int count = 0; count < 10; ++count) latencies.add(1.0625e-3);
  EXPECT_LE(latencies.at_most(0.999), latencies.longest());
}

}  // namespace
