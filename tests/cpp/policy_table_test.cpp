// The transition table of the reconnect specification, section 3, row by row: state, effects and events in order.
#include <gtest/gtest.h>

#include "policy_machine.hpp"

namespace {

using namespace fastws::policy;
using namespace fastws::policy::testing;

Settings one_life() {
  Settings settings;
  settings.reconnect = false;
  return settings;
}

Settings asking() {
  Settings settings;
  settings.asks = true;
  return settings;
}

TEST(PolicyTable, IdleHasNoTimerAndNothingToDo) {
  Machine machine;
  EXPECT_EQ(machine.life.state(), State::idle);
  EXPECT_FALSE(machine.life.deadline());
  EXPECT_EQ(machine.said(), Words{});
}

TEST(PolicyTable, ConnectStartsFromIdle) {
  Machine machine;
  machine.connect();
  EXPECT_EQ(machine.life.state(), State::connecting);
  EXPECT_EQ(machine.said(), (Words{"start 1", "connecting"}));
  EXPECT_EQ(machine.life.deadline(), machine.now + 10.0);
  EXPECT_EQ(machine.events[0].attempt, 1U);
}

TEST(PolicyTable, ReconnectStartsFromIdle) {
  Machine machine;
  machine.reconnect();
  EXPECT_EQ(machine.said(), (Words{"start 1", "connecting"}));
}

TEST(PolicyTable, ConnectAndReconnectStartAgainFromClosedWithNoFailures) {
  for (const bool by_connect : {true, false}) {
    Machine machine;
    machine.connect();
    machine.fail();
    machine.close();
    machine.said();
    EXPECT_EQ(machine.life.failures(), 1U);
    by_connect ? machine.connect() : machine.reconnect();
    EXPECT_EQ(machine.life.state(), State::connecting);
    EXPECT_EQ(machine.life.closed_reason(), ClosedReason::none);
    EXPECT_EQ(machine.life.failures(), 0U);
    EXPECT_EQ(machine.said(), (Words{"start 2", "connecting"}));
  }
}

TEST(PolicyTable, ConnectDoesNothingElsewhere) {
  for (const State state :
       {State::connecting, State::open, State::backoff, State::closing, State::destroyed}) {
    Machine machine;
    machine.go_to(state);
    const auto deadline = machine.life.deadline();
    machine.now += 0.5;
    machine.connect();
    EXPECT_EQ(machine.life.state(), state);
    EXPECT_EQ(machine.life.deadline(), deadline);
    EXPECT_EQ(machine.said(), Words{});
  }
}

TEST(PolicyTable, OpenedTellsConnect) {
  Machine machine;
  machine.go_to(State::connecting);
  machine.open();
  EXPECT_EQ(machine.life.state(), State::open);
  EXPECT_EQ(machine.said(), Words{"connect"});
  EXPECT_EQ(machine.life.deadline(), machine.now + 20.0);
  EXPECT_FALSE(machine.events[0].is_reconnect);
  EXPECT_EQ(machine.events[0].downtime, 0.0);
}

TEST(PolicyTable, TheNextConnectTellsTheDowntimeAndTheAttempt) {
  Machine machine;
  machine.go_to(State::open);
  machine.lose();
  machine.fire();
  machine.now += 0.25;
  machine.open();
  machine.said();
  const Event& connect = machine.events.back();
  EXPECT_TRUE(connect.is_reconnect);
  EXPECT_EQ(connect.downtime, 1.25);
  EXPECT_EQ(connect.attempt, 2U);
}

TEST(PolicyTable, ItIsAReconnectWhenTheClientWasOpenBeforeHoweverItEnded) {
  Machine machine;
  machine.connect();
  machine.fail();
  machine.fire();
  machine.open();
  machine.said();
  EXPECT_FALSE(machine.events.back().is_reconnect) << "only attempts came before";
  machine.close();
  machine.lose(closed_by_server(1000));
  machine.now += 60.0;
  machine.connect();
  machine.open();
  machine.said();
  EXPECT_TRUE(machine.events.back().is_reconnect);
  EXPECT_EQ(machine.events.back().downtime, 60.0);
  EXPECT_EQ(machine.events.back().attempt, 1U);
}

TEST(PolicyTable, ClosedTellsOfNothingBeforeTheLastOpen) {
  Machine machine;
  machine.connect();
  machine.fail();
  machine.fire();
  machine.open();
  machine.close();
  machine.lose(closed_by_server(1000));
  machine.said();
  EXPECT_EQ(machine.events.back().failure.phase, fastws::Phase::none);
  EXPECT_EQ(machine.life.last_failure().phase, fastws::Phase::none);
}

TEST(PolicyTable, AFailedAttemptAbortsThenTellsErrorThenReconnecting) {
  Machine machine;
  machine.go_to(State::connecting);
  machine.fail();
  EXPECT_EQ(machine.life.state(), State::backoff);
  EXPECT_EQ(machine.said(), (Words{"abort 1", "error", "reconnecting"}));
  EXPECT_EQ(machine.life.deadline(), machine.now + 1.0);
  EXPECT_EQ(machine.events[0].attempt, 1U);
  EXPECT_EQ(machine.events[1].attempt, 1U);
  EXPECT_EQ(machine.events[1].at, machine.now + 1.0);
  EXPECT_FALSE(machine.events[1].after_connection);
}

TEST(PolicyTable, AStopVerdictEndsAsFatalWithItsFailure) {
  Machine machine;
  machine.go_to(State::connecting);
  machine.fail(rejected(404));
  EXPECT_EQ(machine.life.closed_reason(), ClosedReason::fatal);
  EXPECT_EQ(machine.said(), (Words{"abort 1", "error fatal", "closed fatal"}));
  EXPECT_EQ(machine.events[1].failure.http_status, 404);
  EXPECT_FALSE(machine.life.deadline());
}

TEST(PolicyTable, TheDeadlineOfAnAttemptIsAFailureOfItsTime) {
  Machine machine;
  machine.go_to(State::connecting);
  machine.fire();
  EXPECT_EQ(machine.life.state(), State::backoff);
  EXPECT_EQ(machine.said(), (Words{"abort 1", "error", "reconnecting"}));
  EXPECT_EQ(machine.events[0].failure.phase, fastws::Phase::timeout);
  EXPECT_NE(machine.events[0].failure.message.find("within 10 s"), std::string::npos);
}

TEST(PolicyTable, DialingBeginsTheDeadlineAgain) {
  Machine machine;
  machine.go_to(State::connecting);
  machine.now += 7.0;
  machine.life.dialing(machine.now, 1);
  EXPECT_EQ(machine.life.deadline(), machine.now + 10.0);
  machine.life.dialing(machine.now + 1.0, 2);
  EXPECT_EQ(machine.life.deadline(), machine.now + 10.0) << "of another epoch";
}

TEST(PolicyTable, ALostConnectionTellsDisconnectThenReconnecting) {
  Machine machine;
  machine.go_to(State::open);
  machine.now += 1.5;
  machine.lose({1011, "oops", true, Initiator::server});
  EXPECT_EQ(machine.life.state(), State::backoff);
  EXPECT_EQ(machine.said(), (Words{"disconnect 1011", "reconnecting"}));
  const Event& disconnect = machine.events[0];
  EXPECT_EQ(disconnect.reason, "oops");
  EXPECT_TRUE(disconnect.clean);
  EXPECT_EQ(disconnect.initiator, Initiator::server);
  EXPECT_EQ(disconnect.uptime, 1.5);
  EXPECT_TRUE(disconnect.will_reconnect);
  EXPECT_TRUE(machine.events[1].after_connection);
}

TEST(PolicyTable, TheWaitIsOverAndTheNextEpochStarts) {
  Machine machine;
  machine.go_to(State::backoff);
  machine.fire();
  EXPECT_EQ(machine.life.state(), State::connecting);
  EXPECT_EQ(machine.said(), (Words{"start 2", "connecting"}));
  EXPECT_EQ(machine.events[0].attempt, 2U);
}

TEST(PolicyTable, ATimerBeforeItsDeadlineHasNoEffect) {
  for (const State state : {State::connecting, State::open, State::backoff, State::closing}) {
    Machine machine;
    machine.go_to(state);
    machine.life.timer(*machine.life.deadline() - 0.001, {0.0, false, true}, {});
    EXPECT_EQ(machine.life.state(), state);
    EXPECT_EQ(machine.said(), Words{});
  }
}

TEST(PolicyTable, ShouldReconnectIsAskedDuringTheWaitAndReconnectingFollowsItsAnswer) {
  Machine machine(asking());
  machine.connect();
  machine.said();
  machine.fail();
  EXPECT_EQ(machine.life.state(), State::backoff);
  EXPECT_EQ(machine.said(), (Words{"abort 1", "ask 1", "error"}));
  const Seconds failed_at = machine.now;
  EXPECT_EQ(machine.life.deadline(), failed_at + 1.0);
  machine.now += 0.5;
  machine.answer({false, 7.0});
  EXPECT_EQ(machine.said(), Words{"reconnecting"});
  EXPECT_EQ(machine.life.deadline(), failed_at + 7.0);
  EXPECT_EQ(machine.events[0].delay, 7.0);
}

TEST(PolicyTable, AnAnswerOfFalseIsFatal) {
  Machine machine(asking());
  machine.connect();
  machine.fail();
  machine.said();
  machine.answer({true, {}});
  EXPECT_EQ(machine.said(), Words{"closed fatal"});
  EXPECT_FALSE(machine.life.deadline());
}

TEST(PolicyTable, AnAnswerWithoutAWishKeepsTheDefault) {
  Machine machine(asking());
  machine.connect();
  machine.fail();
  machine.said();
  machine.answer({});
  EXPECT_EQ(machine.said(), Words{"reconnecting"});
  EXPECT_EQ(machine.events[0].delay, 1.0);
}

TEST(PolicyTable, ALateAnswerIsTheDefaultAndChangesNothing) {
  Machine machine(asking());
  machine.connect();
  machine.fail();
  machine.said();
  machine.fire();
  EXPECT_EQ(machine.said(), (Words{"start 2", "reconnecting", "connecting"}));
  machine.life.answered(machine.now, 1, {true, {}});
  EXPECT_EQ(machine.life.state(), State::connecting);
  EXPECT_EQ(machine.said(), Words{});
}

TEST(PolicyTable, OnlyTheFirstAnswerCounts) {
  Machine machine(asking());
  machine.connect();
  machine.fail();
  machine.answer({false, 3.0});
  machine.said();
  machine.answer({true, {}});
  EXPECT_EQ(machine.life.state(), State::backoff);
  EXPECT_EQ(machine.said(), Words{});
}

TEST(PolicyTable, CloseFromIdle) {
  Machine machine;
  machine.close();
  EXPECT_EQ(machine.life.state(), State::closed);
  EXPECT_EQ(machine.said(), Words{"closed user"});
}

TEST(PolicyTable, CloseFromConnectingAbortsAtOnce) {
  Machine machine;
  machine.go_to(State::connecting);
  machine.close();
  EXPECT_EQ(machine.life.state(), State::closed);
  EXPECT_EQ(machine.said(), (Words{"abort 1", "closed user"}));
}

TEST(PolicyTable, CloseFromBackoffIsAtOnce) {
  Machine machine;
  machine.go_to(State::backoff);
  machine.close();
  EXPECT_EQ(machine.life.state(), State::closed);
  EXPECT_FALSE(machine.life.deadline());
  EXPECT_EQ(machine.said(), Words{"closed user"});
}

TEST(PolicyTable, CloseFromOpenSendsCloseAndWaits) {
  Machine machine;
  machine.go_to(State::open);
  machine.life.close(machine.now, 4000, "!");
  EXPECT_EQ(machine.life.state(), State::closing);
  EXPECT_EQ(machine.said(), Words{"send_close 1 4000!"});
  EXPECT_EQ(machine.life.deadline(), machine.now + 2.0);
}

TEST(PolicyTable, TheAnswerToOurCloseEndsIt) {
  Machine machine;
  machine.go_to(State::closing);
  machine.now += 0.1;
  machine.lose(closed_by_server(1000));
  EXPECT_EQ(machine.life.state(), State::closed);
  EXPECT_EQ(machine.said(), (Words{"disconnect 1000", "closed user"}));
  EXPECT_TRUE(machine.events[0].clean);
  EXPECT_EQ(machine.events[0].initiator, Initiator::user);
  EXPECT_FALSE(machine.events[0].will_reconnect);
  EXPECT_EQ(machine.events[1].code, 1000);
}

TEST(PolicyTable, ThePeerThatDoesNotAnswerOurCloseIsAborted) {
  Machine machine;
  machine.go_to(State::closing);
  machine.fire();
  EXPECT_EQ(machine.said(), (Words{"abort 1", "disconnect 1006", "closed user"}));
  EXPECT_FALSE(machine.events[0].clean);
  EXPECT_EQ(machine.events[0].initiator, Initiator::user);
}

TEST(PolicyTable, CloseWhenClosedTellsNothingButEndsTheLife) {
  Machine machine;
  machine.go_to(State::closed);
  const auto life = machine.life.life();
  machine.close();
  EXPECT_EQ(machine.said(), Words{});
  EXPECT_EQ(machine.life.life(), life + 1);
}

TEST(PolicyTable, DestroyAbortsWhatLivesAndTellsNothing) {
  for (const State state : {State::connecting, State::open, State::closing}) {
    Machine machine;
    machine.go_to(state);
    machine.life.destroy();
    EXPECT_EQ(machine.life.state(), State::destroyed);
    EXPECT_FALSE(machine.life.deadline());
    EXPECT_EQ(machine.said(), Words{"abort 1"});
  }
}

TEST(PolicyTable, DestroyDropsWhatIsQueued) {
  Machine machine;
  machine.connect();
  machine.fail();
  machine.life.destroy();
  EXPECT_EQ(machine.said(), Words{"abort 1"});
}

TEST(PolicyTable, OneLifeEndsAsExhaustedWhenItNeverOpens) {
  for (const int status : {0, 404, 503}) {
    Machine machine(one_life());
    machine.go_to(State::connecting);
    machine.fail(rejected(status));
    EXPECT_EQ(machine.said(), (Words{"abort 1", "error fatal", "closed exhausted"})) << status;
  }
}

TEST(PolicyTable, OneLifeEndsAsServerAfterACleanClose) {
  for (const std::uint16_t code : {std::uint16_t{1000}, std::uint16_t{1001}}) {
    Machine machine(one_life());
    machine.go_to(State::open);
    machine.lose(closed_by_server(code));
    EXPECT_EQ(machine.said(), (Words{"disconnect " + std::to_string(code), "closed server"}));
    EXPECT_FALSE(machine.events[0].will_reconnect);
  }
}

TEST(PolicyTable, OneLifeEndsAsExhaustedAfterAnyOtherLoss) {
  Machine machine(one_life());
  machine.go_to(State::open);
  machine.lose(closed_by_server(1011));
  EXPECT_EQ(machine.said(), (Words{"disconnect 1011", "closed exhausted"}));
}

}  // namespace
