// Pings, and which of them a Pong answers (RFC 6455 sections 5.5.2, 5.5.3).
#include "client/heartbeat.hpp"

#include <gtest/gtest.h>

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

TEST(Heartbeat, EveryPingHasAPayloadOfItsOwn) {
  Heartbeat heartbeat;
  EXPECT_NE(heartbeat.next(1.0).payload, heartbeat.next(1.0).payload);
}

}  // namespace
