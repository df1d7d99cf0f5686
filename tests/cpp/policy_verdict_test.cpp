// Sections 4 and 5 of the reconnect specification, row by row: how long to wait, and whether at all.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../../cpp/policy/verdict.hpp"
#include "policy_machine.hpp"

namespace {

using namespace fastws::policy;
using namespace fastws::policy::testing;
using fastws::Failure;
using fastws::Phase;

constexpr double nearly_one = 0.999999;

Settings with(Backoff backoff) {
  Settings settings;
  settings.backoff = std::move(backoff);
  return settings;
}

/// The delay that `reconnecting` tells after this end of a connection that was open for `uptime`.
Seconds delay_after(Machine& machine, Seconds uptime, const Loss& loss, Draw draw = {}) {
  if (machine.life.state() == State::idle) machine.connect();
  if (machine.life.state() == State::backoff) machine.fire();
  machine.open();
  machine.now += uptime;
  machine.lose(loss, draw);
  machine.said();
  return machine.events.back().delay;
}

// --- Section 4 -------------------------------------------------------------------------------------------------------

TEST(PolicyBackoff, TheReferenceScheduleIsTheUpperBound) {
  const Backoff backoff;
  const double schedule[] = {1, 2, 4, 8, 16, 30, 30};
  for (std::uint32_t failures = 0; failures < 7; ++failures) {
    EXPECT_EQ(longest_delay(backoff, failures), schedule[failures]);
    EXPECT_EQ(delay(backoff, failures, 0.0), schedule[failures]);
    EXPECT_NEAR(delay(backoff, failures, nearly_one), schedule[failures] / 2, 1e-4);
  }
}

TEST(PolicyBackoff, AMillionFailuresAreTheCap) {
  const Backoff backoff;
  for (const std::uint32_t failures : {100U, 1000000U, std::numeric_limits<std::uint32_t>::max()}) {
    EXPECT_EQ(longest_delay(backoff, failures), 30.0);
  }
}

TEST(PolicyBackoff, ABaseOfZeroNeverOverflowsIntoNan) {
  Backoff backoff;
  backoff.base = 0.0;
  EXPECT_EQ(longest_delay(backoff, 3), 0.0);
  EXPECT_FALSE(std::isnan(longest_delay(backoff, 1000000)));
}

TEST(PolicyBackoff, DelaysGrowWithConsecutiveFailures) {
  Machine machine;
  machine.connect();
  for (const Seconds expected : {1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0}) {
    machine.fail(rejected(503));
    machine.said();
    EXPECT_EQ(machine.events.back().delay, expected);
    machine.fire();
  }
}

TEST(PolicyBackoff, AConnectionThatWasStableStartsTheScheduleAgain) {
  Machine machine;
  EXPECT_EQ(delay_after(machine, 0.0, {}), 1.0);
  EXPECT_EQ(delay_after(machine, 4.99, {}), 2.0);
  EXPECT_EQ(delay_after(machine, 5.0, {}), 1.0);
  EXPECT_EQ(machine.life.failures(), 1U);
}

TEST(PolicyBackoff, AManualReconnectStartsTheScheduleAgain) {
  Machine machine;
  delay_after(machine, 0.0, {});
  delay_after(machine, 0.0, {});
  machine.reconnect();
  EXPECT_EQ(machine.life.failures(), 0U);
  EXPECT_EQ(delay_after(machine, 0.0, {}), 1.0);
}

TEST(PolicyBackoff, MaxRetriesCountsConsecutiveFailures) {
  Backoff backoff;
  backoff.max_retries = 2;
  Machine machine(with(backoff));
  machine.connect();
  for (int retry = 0; retry < 2; ++retry) {
    machine.fail();
    machine.fire();
  }
  machine.said();
  machine.fail();
  EXPECT_EQ(machine.said(), (Words{"abort 3", "error fatal", "closed exhausted"}));
  EXPECT_EQ(machine.events[1].failure.message, "refused");
}

TEST(PolicyBackoff, MaxElapsedCountsFromTheBeginningOfTheSeries) {
  Backoff backoff;
  backoff.max_elapsed = 3.0;
  Machine machine(with(backoff));
  machine.connect();  // the series begins
  machine.fail();     // after 0 s
  machine.fire();
  machine.fail();  // after 1 s
  machine.fire();
  machine.said();
  machine.fail();  // after 3 s
  EXPECT_EQ(machine.life.closed_reason(), ClosedReason::exhausted);
}

TEST(PolicyBackoff, AManualReconnectBeginsANewSeries) {
  Backoff backoff;
  backoff.max_elapsed = 3.0;
  Machine machine(with(backoff));
  machine.connect();
  machine.now += 600.0;
  machine.reconnect();
  machine.fail();
  EXPECT_EQ(machine.life.state(), State::backoff);
}

TEST(PolicyBackoff, AStableConnectionEndsTheSeries) {
  Backoff backoff;
  backoff.max_elapsed = 3.0;
  Machine machine(with(backoff));
  machine.go_to(State::open);
  machine.now += 600.0;
  machine.lose();
  EXPECT_EQ(machine.life.state(), State::backoff);
}

// --- Section 5: attempts ---------------------------------------------------------------------------------------------

TEST(PolicyVerdict, WhatTheNetworkDidIsRetried) {
  for (const Phase phase :
       {Phase::resolve, Phase::tcp, Phase::proxy, Phase::tls, Phase::timeout, Phase::provider}) {
    Failure failure;
    failure.phase = phase;
    EXPECT_EQ(judge(failure, false, false), Verdict::retry);
  }
}

TEST(PolicyVerdict, PassingStatusesAreRetried) {
  for (const int status : {408, 425, 429, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(judge(rejected(status), false, false), Verdict::retry) << status;
  }
}

TEST(PolicyVerdict, AProxyThatIsOutOfOrderIsRetriedAndOneThatRefusesUsIsNot) {
  Failure failure = rejected(502);
  failure.phase = Phase::proxy;
  EXPECT_EQ(judge(failure, false, false), Verdict::retry);
  failure.http_status = 407;
  EXPECT_EQ(judge(failure, false, false), Verdict::stop);
}

TEST(PolicyVerdict, DefinitiveStatusesStopOnlyBeforeTheFirstOpen) {
  for (const int status : {200, 301, 400, 401, 402, 403, 404, 405, 407, 410, 426, 451, 600}) {
    EXPECT_EQ(judge(rejected(status), false, false), Verdict::stop) << status;
    EXPECT_EQ(judge(rejected(status), true, false), Verdict::retry) << status;
  }
}

TEST(PolicyVerdict, DefinitiveFailuresStopOnlyBeforeTheFirstOpen) {
  Failure certificate;
  certificate.phase = Phase::tls;
  certificate.definitive = true;
  EXPECT_EQ(judge(certificate, false, true), Verdict::stop);
  EXPECT_EQ(judge(certificate, true, false), Verdict::retry);
}

TEST(PolicyVerdict, AProviderMayRefreshCredentialsButNotAPath) {
  EXPECT_EQ(judge(rejected(401), false, true), Verdict::retry);
  EXPECT_EQ(judge(rejected(403), false, true), Verdict::retry);
  EXPECT_EQ(judge(rejected(404), false, true), Verdict::stop);
}

TEST(PolicyVerdict, HavingBeenOpenLastsBeyondClose) {
  Machine machine;
  machine.go_to(State::open);
  machine.lose();
  machine.close();
  machine.connect();
  machine.fail(rejected(404));
  EXPECT_EQ(machine.life.state(), State::backoff);
}

TEST(PolicyVerdict, RetryAfterIsAFloorThatIsCappedAndSpread) {
  const Backoff backoff;
  EXPECT_EQ(retry_after_floor(backoff, 20.0, 0.0), 20.0);
  EXPECT_NEAR(retry_after_floor(backoff, 20.0, nearly_one), 22.0, 1e-4);
  EXPECT_EQ(retry_after_floor(backoff, 1e9, 0.0), 300.0);
  EXPECT_NEAR(retry_after_floor(backoff, std::numeric_limits<double>::infinity(), nearly_one), 330.0, 1e-2);
  EXPECT_EQ(retry_after_floor(backoff, -5.0, 0.5), 0.0);
  EXPECT_EQ(retry_after_floor(backoff, std::nan(""), 0.5), 0.0);
}

TEST(PolicyVerdict, RetryAfterRaisesTheDelayAndNeverShortensIt) {
  for (const auto& [asked, expected] : {std::pair{20.0, 20.0}, {0.25, 1.0}}) {
    Machine machine;
    machine.connect();
    Failure busy = rejected(503);
    busy.retry_after = asked;
    machine.fail(busy);
    machine.said();
    EXPECT_EQ(machine.events.back().delay, expected);
  }
}

// --- Section 5: close codes ------------------------------------------------------------------------------------------

TEST(PolicyVerdict, EveryCloseCodeIsRetried) {
  for (const int code :
       {1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1014, 3000, 4000, 4999}) {
    Machine machine;
    EXPECT_EQ(delay_after(machine, 0.0, closed_by_server(static_cast<std::uint16_t>(code))), 1.0) << code;
  }
}

TEST(PolicyVerdict, AFatalCloseCodeIsTheUsersChoice) {
  Backoff backoff;
  backoff.fatal_close_codes = {4001};
  Machine machine(with(backoff));
  machine.go_to(State::open);
  machine.lose(closed_by_server(4001));
  EXPECT_EQ(machine.said(), (Words{"disconnect 4001", "closed fatal"}));
  EXPECT_FALSE(machine.events[0].will_reconnect);
  EXPECT_EQ(machine.events[1].code, 4001);
}

TEST(PolicyVerdict, ServiceRestartWaitsFiveToThirtySeconds) {
  for (const auto& [hint, expected] : {std::pair{0.0, 5.0}, {0.5, 17.5}}) {
    Machine machine;
    EXPECT_EQ(delay_after(machine, 0.0, closed_by_server(1012), {0.0, hint}), expected);
  }
}

TEST(PolicyVerdict, ServiceRestartsRangeIsConfigurable) {
  Backoff backoff;
  backoff.close_code_delay = {{1012, {0.5, 5.0}}, {4000, {40.0, 40.0}}};
  EXPECT_EQ(close_code_floor(backoff, 1012, 0.0, 0.5), 2.75);
  EXPECT_EQ(close_code_floor(backoff, 4000, 0.0, 0.5), 40.0);
}

TEST(PolicyVerdict, TryAgainLaterJumpsToTheCapButNotTheCount) {
  for (const auto& [jitter, expected] : {std::pair{0.0, 30.0}, {0.5, 22.5}}) {
    Machine machine;
    EXPECT_EQ(delay_after(machine, 0.0, closed_by_server(1013), {jitter, 0.0}), expected);
    EXPECT_EQ(machine.life.failures(), 1U);
  }
}

TEST(PolicyVerdict, OurOwnProtocolErrorIsRetriedButDoesNotResetTheCount) {
  Machine machine;
  EXPECT_EQ(delay_after(machine, 0.0, {1009, "", false, Initiator::client}), 1.0);
  EXPECT_EQ(delay_after(machine, 0.0, {1009, "", false, Initiator::client}), 2.0);
}

}  // namespace
