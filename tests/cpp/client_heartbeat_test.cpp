// Pings, and which of them a Pong answers (RFC 6455 sections 5.5.2, 5.5.3).
#include "client/heartbeat.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

using fastws::client::Heartbeat;

TEST(Heartbeat, MeasuresTheRoundTrip) {
  Heartbeat heartbeat;
  const auto ping = heartbeat.next(10.0);
  EXPECT_FALSE(heartbeat.round_trip(ping.number));
  EXPECT_TRUE(heartbeat.answered(ping.payload, 10.25));
  EXPECT_DOUBLE_EQ(heartbeat.round_trip(ping.number).value(), 0.25);
  EXPECT_DOUBLE_EQ(heartbeat.latency().value(), 0.25);
}

TEST(Heartbeat, APongAnswersEarlierPingsAsWell) {
  Heartbeat heartbeat;
  const auto first = heartbeat.next(1.0);
  const auto second = heartbeat.next(2.0);
  EXPECT_TRUE(heartbeat.answered(second.payload, 2.5));
  EXPECT_TRUE(heartbeat.round_trip(first.number));
  EXPECT_FALSE(heartbeat.answered(first.payload, 3.0));
}

TEST(Heartbeat, APongNobodyAskedForChangesNothing) {
  Heartbeat heartbeat;
  EXPECT_FALSE(heartbeat.answered("", 1.0));
  EXPECT_FALSE(heartbeat.answered("12345678", 1.0));
  EXPECT_FALSE(heartbeat.answered(std::string(125, 'x'), 1.0));
  EXPECT_FALSE(heartbeat.latency());
}

TEST(Heartbeat, APongOfAnEarlierConnectionDoesNotCount) {
  Heartbeat heartbeat;
  const auto ping = heartbeat.next(1.0);
  heartbeat.reset();
  EXPECT_FALSE(heartbeat.answered(ping.payload, 1.5));
}

TEST(Heartbeat, MeasuresTheNewestSixtyFourOfThoseThatWait) {
  Heartbeat heartbeat;
  std::vector<Heartbeat::Ping> pings;
  for (int second = 0; second < 70; ++second) pings.push_back(heartbeat.next(second));
  EXPECT_TRUE(heartbeat.answered(pings[5].payload, 100.0));
  EXPECT_FALSE(heartbeat.latency());  // when that one was sent is forgotten
  EXPECT_TRUE(heartbeat.answered(pings[6].payload, 100.0));
  EXPECT_DOUBLE_EQ(heartbeat.latency().value(), 94.0);
  EXPECT_TRUE(heartbeat.answered(pings[68].payload, 100.0));
  EXPECT_DOUBLE_EQ(heartbeat.latency().value(), 32.0);
  pings.push_back(heartbeat.next(110.0));
  EXPECT_TRUE(heartbeat.answered(pings[70].payload, 111.5));
  EXPECT_DOUBLE_EQ(heartbeat.latency().value(), 1.5);
}

TEST(Heartbeat, EveryPingHasAPayloadOfItsOwn) {
  Heartbeat heartbeat;
  EXPECT_NE(heartbeat.next(1.0).payload, heartbeat.next(1.0).payload);
}

}  // namespace
