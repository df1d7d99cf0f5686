// Section 8 and rule R20 of the reconnect specification: when a silent peer is given up, and what a late timer means.
#include <gtest/gtest.h>

#include "policy_machine.hpp"

namespace {

using namespace fastws::policy;
using namespace fastws::policy::testing;

Settings watching(std::optional<Seconds> interval, std::optional<Seconds> patience) {
  Settings settings;
  settings.ping_interval = interval;
  settings.pong_timeout = patience;
  return settings;
}

/// The seconds from the peer's last byte until its silence is a disconnect.
Seconds silence_until_lost(Machine& machine) {
  while (machine.life.state() == State::open) machine.fire();
  return machine.now - machine.heard;
}

TEST(PolicyLiveness, APingIsSentAfterAnIntervalOfSilence) {
  Machine machine;
  machine.go_to(State::open);
  machine.fire();
  EXPECT_EQ(machine.said(), Words{"ping 1"});
  EXPECT_EQ(machine.life.deadline(), machine.now + 10.0);
}

TEST(PolicyLiveness, BytesPutThePingOff) {
  Machine machine;
  machine.go_to(State::open);
  machine.heard = machine.now + 13.0;
  machine.fire();
  EXPECT_EQ(machine.said(), Words{});
  EXPECT_EQ(machine.life.deadline(), machine.heard + 20.0);
}

TEST(PolicyLiveness, AnyBytesAfterThePingCount) {
  Machine machine;
  machine.go_to(State::open);
  machine.fire();
  machine.said();
  machine.heard = machine.now + 3.0;
  machine.fire();
  EXPECT_EQ(machine.life.state(), State::open);
  EXPECT_EQ(machine.said(), Words{});
  EXPECT_EQ(machine.life.deadline(), machine.heard + 20.0);
}

TEST(PolicyLiveness, BytesOfTheVeryMomentOfThePingCount) {
  Machine machine;
  machine.go_to(State::open);
  machine.fire();
  machine.heard = machine.now;
  machine.fire();
  EXPECT_EQ(machine.life.state(), State::open);
}

TEST(PolicyLiveness, ASilentPeerIsAbortedAndTold) {
  Machine machine;
  machine.go_to(State::open);
  machine.fire();
  machine.said();
  machine.fire();
  EXPECT_EQ(machine.said(), (Words{"abort 1", "disconnect 1006", "reconnecting"}));
  EXPECT_EQ(machine.events[0].initiator, Initiator::liveness);
  EXPECT_EQ(machine.events[0].reason, "ping timeout");
  EXPECT_FALSE(machine.events[0].clean);
}

TEST(PolicyLiveness, SilenceIsSeenWithinTheTwoTimesWheneverItBegins) {
  for (const auto& [interval, patience] : {std::pair{20.0, 10.0}, {20.0, 20.0}, {20.0, 60.0}, {5.0, 60.0}}) {
    for (Seconds last = 0.0; last < 150.0; last += 0.5) {
      Machine machine(watching(interval, patience));
      machine.go_to(State::open);
      const Seconds opened = machine.now;
      const Seconds end = opened + last;
      while (*machine.life.deadline() <= end) {  // a peer that speaks all the time until then
        machine.heard = *machine.life.deadline();
        machine.fire();
      }
      machine.heard = end;
      EXPECT_LE(silence_until_lost(machine), interval + patience)
          << interval << " " << patience << " " << last;
    }
  }
}

TEST(PolicyLiveness, ALateByteDoesNotHideTheSilenceAfterIt) {
  for (Seconds after_ping = 0.0; after_ping < 60.0; after_ping += 0.25) {
    Machine machine(watching(20.0, 60.0));
    machine.go_to(State::open);
    machine.fire();
    const Seconds end = machine.now + after_ping;
    while (*machine.life.deadline() < end) machine.fire();
    machine.heard = end;
    EXPECT_LE(silence_until_lost(machine), 80.0) << after_ping;
  }
}

TEST(PolicyLiveness, APeerThatAnswersEveryPingLives) {
  Machine machine;
  machine.go_to(State::open);
  for (int round = 0; round < 1000; ++round) {
    machine.fire();
    machine.heard = machine.now + 0.05;
    EXPECT_EQ(machine.life.state(), State::open);
  }
}

TEST(PolicyLiveness, NothingOfTheLastConnectionsPingIsLeftInTheNext) {
  Machine machine;
  machine.go_to(State::open);
  machine.fire();  // a Ping nobody answers
  machine.lose();
  machine.fire();
  machine.open();
  machine.said();
  EXPECT_EQ(machine.life.deadline(), machine.now + 20.0);
  machine.fire();
  EXPECT_EQ(machine.said(), Words{"ping 2"});
}

TEST(PolicyLiveness, ThePongsDeadlineRestsWhileWeDoNotRead) {
  Machine machine;
  machine.go_to(State::open);
  machine.paused = true;
  for (int round = 0; round < 100; ++round) machine.fire();
  EXPECT_EQ(machine.life.state(), State::open);
  EXPECT_EQ(machine.said(), Words{"ping 1"});
  machine.paused = false;
  machine.fire();
  EXPECT_EQ(machine.life.state(), State::backoff);
}

TEST(PolicyLiveness, WithoutAnIntervalThereIsNoTimer) {
  Machine machine(watching({}, 10.0));
  machine.go_to(State::open);
  EXPECT_FALSE(machine.life.deadline());
  machine.life.timer(machine.now + 1e6, {}, {});
  EXPECT_EQ(machine.said(), Words{});
}

TEST(PolicyLiveness, WithoutAPongTimeoutPingsAreSentAndNobodyIsGivenUp) {
  Machine machine(watching(20.0, {}));
  machine.go_to(State::open);
  for (int round = 0; round < 3; ++round) machine.fire();
  EXPECT_EQ(machine.life.state(), State::open);
  EXPECT_EQ(machine.said(), (Words{"ping 1", "ping 1", "ping 1"}));
}

// --- R20: late timers ------------------------------------------------------------------------------------------------

TEST(PolicyLateTimer, InOpenAsksAgainInsteadOfGivingUp) {
  for (const bool slept : {true, false}) {
    Machine machine;
    machine.go_to(State::open);
    machine.fire();
    machine.said();
    machine.fire(slept ? 0.0 : 7200.0, slept);
    EXPECT_EQ(machine.life.state(), State::open);
    EXPECT_EQ(machine.said(), Words{"ping 1"});
    EXPECT_EQ(machine.life.deadline(), machine.now + 10.0);
    machine.fire();
    EXPECT_EQ(machine.life.state(), State::backoff) << "a server that died meanwhile";
  }
}

TEST(PolicyLateTimer, OneSecondIsNotLate) {
  Machine machine;
  machine.go_to(State::open);
  machine.fire();
  machine.fire(1.0);
  EXPECT_EQ(machine.life.state(), State::backoff);
}

TEST(PolicyLateTimer, InConnectingGivesOneGraceSecond) {
  for (const bool slept : {true, false}) {
    Machine machine;
    machine.go_to(State::connecting);
    machine.fire(slept ? 0.0 : 7200.0, slept);
    EXPECT_EQ(machine.life.state(), State::connecting);
    EXPECT_EQ(machine.said(), Words{});
    EXPECT_EQ(machine.life.deadline(), machine.now + 1.0);
    machine.open();
    EXPECT_EQ(machine.life.state(), State::open);
  }
}

TEST(PolicyLateTimer, InConnectingGivesItOnce) {
  Machine machine;
  machine.go_to(State::connecting);
  machine.fire(7200.0);
  machine.fire(7200.0, true);
  EXPECT_EQ(machine.life.state(), State::backoff);
}

TEST(PolicyLateTimer, TheNextAttemptHasItsOwnGraceSecond) {
  Machine machine;
  machine.go_to(State::connecting);
  machine.fire(2.0);
  machine.fire();
  machine.fire();
  machine.fire(2.0);
  EXPECT_EQ(machine.life.state(), State::connecting);
}

TEST(PolicyLateTimer, InBackoffDialsNow) {
  Machine machine;
  machine.go_to(State::backoff);
  machine.fire(7200.0, true);
  EXPECT_EQ(machine.said(), (Words{"start 2", "connecting"}));
}

TEST(PolicyLateTimer, InClosingFinishes) {
  Machine machine;
  machine.go_to(State::closing);
  machine.fire(7200.0, true);
  EXPECT_EQ(machine.said(), (Words{"abort 1", "disconnect 1006", "closed user"}));
}

}  // namespace
