// The race rules of the reconnect specification, section 7, that are the machine's: R1, R2, R4-R6, R14, R15, and which
// queued events are still delivered after close().
#include <gtest/gtest.h>

#include "../../cpp/policy/delivery.hpp"
#include "policy_machine.hpp"

namespace {

using namespace fastws::policy;
using namespace fastws::policy::testing;
using Kind = Event::Kind;

constexpr State all_states[] = {State::idle,    State::connecting, State::open,     State::backoff,
                                State::closing, State::closed,     State::destroyed};

TEST(PolicyRaces, AStaleOpenIsAbortedInEveryState) {
  for (const State state : all_states) {
    Machine machine;
    machine.go_to(state);
    machine.said();
    machine.life.opened(machine.now, 77);
    EXPECT_EQ(machine.life.state(), state);
    EXPECT_EQ(machine.said(), Words{"abort 77"});
  }
}

TEST(PolicyRaces, OtherStaleCompletionsHaveNoEffectInAnyState) {
  for (const State state : all_states) {
    Machine machine;
    machine.go_to(state);
    machine.said();
    const auto deadline = machine.life.deadline();
    machine.life.failed(machine.now, 77, refused(), {});
    machine.life.lost(machine.now, 77, {}, {});
    machine.life.answered(machine.now, 77, {true, {}});
    machine.life.dialing(machine.now + 1.0, 77);
    EXPECT_EQ(machine.life.state(), state);
    EXPECT_EQ(machine.life.deadline(), deadline);
    EXPECT_EQ(machine.said(), Words{});
  }
}

TEST(PolicyRaces, AnOpenAfterItsAttemptFailedIsAborted) {
  Machine machine;
  machine.go_to(State::backoff);
  machine.open();
  EXPECT_EQ(machine.life.state(), State::backoff);
  EXPECT_EQ(machine.said(), Words{"abort 1"});
}

TEST(PolicyRaces, ASecondReportOfOneOpenDoesNotAbortTheConnection) {
  Machine machine;
  machine.go_to(State::open);
  machine.open();
  EXPECT_EQ(machine.said(), Words{});
}

TEST(PolicyRaces, CloseDuringConnectingIsStickyAndALateOpenIsAborted) {
  Machine machine;
  machine.go_to(State::connecting);
  machine.close();
  machine.said();
  machine.open();
  EXPECT_EQ(machine.life.state(), State::closed);
  EXPECT_EQ(machine.said(), Words{"abort 1"});
}

TEST(PolicyRaces, NothingDialsAfterCloseDuringTheWait) {
  for (const Seconds after : {0.0, 0.25, 0.5, 0.999}) {
    Machine machine;
    machine.go_to(State::backoff);
    machine.now += after;
    machine.close();
    machine.said();
    machine.life.timer(machine.now + 3600.0, {}, {});
    EXPECT_EQ(machine.life.state(), State::closed);
    EXPECT_EQ(machine.said(), Words{});
  }
}

TEST(PolicyRaces, CloseIsByUsWhateverTheTransportReportsAfterwards) {
  Machine machine;
  machine.go_to(State::closing);
  machine.lose({1006, "TLS short read", false, Initiator::network});
  EXPECT_EQ(machine.said(), (Words{"disconnect 1006", "closed user"}));
  EXPECT_EQ(machine.events[0].initiator, Initiator::user);
}

TEST(PolicyRaces, WhileClosingTheLastCallWins) {
  Machine machine;
  machine.go_to(State::open);
  machine.close();
  machine.reconnect();
  EXPECT_EQ(machine.life.intent(), Intent::restart);
  machine.close();
  EXPECT_EQ(machine.life.intent(), Intent::stop);
  EXPECT_EQ(machine.said(), Words{"send_close 1 1000"}) << "one Close frame";
  machine.reconnect();
  machine.lose(closed_by_server(1000));
  EXPECT_EQ(machine.said(), (Words{"start 2", "disconnect 1000", "connecting"}));
}

TEST(PolicyRaces, WhileClosingNoCallMakesItLonger) {
  Machine machine;
  machine.go_to(State::closing);
  const auto deadline = machine.life.deadline();
  machine.now += 1.0;
  machine.reconnect();
  machine.close();
  EXPECT_EQ(machine.life.deadline(), deadline);
}

TEST(PolicyRaces, ReconnectWhileConnectingAbortsTheOldAttemptFirst) {
  Machine machine;
  machine.go_to(State::connecting);
  machine.now += 1.0;
  machine.reconnect();
  EXPECT_EQ(machine.said(), (Words{"abort 1", "start 2", "connecting"}));
  EXPECT_EQ(machine.life.deadline(), machine.now + 10.0);
}

TEST(PolicyRaces, OnlyTheLastOfManyReconnectsIsTheEpochOfTheAttempt) {
  Machine machine;
  machine.go_to(State::backoff);
  for (int call = 0; call < 5; ++call) machine.reconnect();
  const Words words = machine.said();
  int live = 0;
  for (const std::string& word : words) {
    if (word.rfind("start", 0) == 0) ++live;
    if (word.rfind("abort", 0) == 0) --live;
    EXPECT_LE(live, 1);
  }
  EXPECT_EQ(live, 1);
  EXPECT_EQ(machine.life.epoch(), 6U);
  EXPECT_EQ(machine.life.failures(), 0U);
}

TEST(PolicyRaces, ReconnectWhileOpenClosesFirstThenDials) {
  Machine machine;
  machine.go_to(State::open);
  machine.reconnect();
  EXPECT_EQ(machine.life.state(), State::closing);
  EXPECT_EQ(machine.said(), Words{"send_close 1 1000"});
  machine.lose(closed_by_server(1000));
  EXPECT_EQ(machine.life.state(), State::connecting);
  EXPECT_EQ(machine.said(), (Words{"start 2", "disconnect 1000", "connecting"}));
  EXPECT_TRUE(machine.events[0].will_reconnect);
}

TEST(PolicyRaces, ReconnectWhileOpenDialsAfterTheDeadlineAtTheLatest) {
  Machine machine;
  machine.go_to(State::open);
  machine.reconnect();
  machine.said();
  machine.fire();
  EXPECT_EQ(machine.said(), (Words{"abort 1", "start 2", "disconnect 1006", "connecting"}));
}

TEST(PolicyRaces, CloseAndReconnectAThousandTimesEndsWithOneAttempt) {
  Machine machine;
  machine.go_to(State::open);
  for (int round = 0; round < 1000; ++round) {
    machine.close();
    machine.reconnect();
  }
  machine.lose(closed_by_server(1000));
  EXPECT_EQ(machine.said(), (Words{"send_close 1 1000", "start 2", "disconnect 1000", "connecting"}));
}

// --- Delivery --------------------------------------------------------------------------------------------------------

/// The machine's events, queued, and offered one by one as a client's dispatcher does.
struct Dispatcher {
  explicit Dispatcher(Machine& watched) : machine(watched) {}

  void queue() {
    machine.said();
    waiting.insert(waiting.end(), machine.events.begin(), machine.events.end());
  }

  Words deliver() {
    Words delivered;
    for (const Event& event : waiting) {
      if (delivery.admit(event.kind, event.life, event.epoch, machine.life.life(), machine.life.epoch())) {
        delivered.push_back(word(event));
      }
    }
    waiting.clear();
    return delivered;
  }

  Machine& machine;
  Delivery delivery;
  std::vector<Event> waiting;
};

TEST(PolicyDelivery, WithoutCloseEverythingIsDeliveredInOrder) {
  Machine machine;
  Dispatcher dispatcher(machine);
  machine.connect();
  machine.open();
  machine.lose();
  machine.fire();
  machine.fail();
  dispatcher.queue();
  EXPECT_EQ(dispatcher.deliver(), (Words{"connecting", "connect", "disconnect 1006", "reconnecting",
                                         "connecting", "error", "reconnecting"}));
}

TEST(PolicyDelivery, AfterCloseOnlyADueDisconnectAndClosedAreDelivered) {
  Machine machine;
  Dispatcher dispatcher(machine);
  machine.connect();
  machine.open();
  dispatcher.queue();
  EXPECT_EQ(dispatcher.deliver(), (Words{"connecting", "connect"}));
  machine.lose();
  machine.close();
  dispatcher.queue();
  EXPECT_EQ(dispatcher.deliver(), (Words{"disconnect 1006", "closed user"}));
}

TEST(PolicyDelivery, ADisconnectWhoseConnectWasCutIsCutAsWell) {
  Machine machine;
  Dispatcher dispatcher(machine);
  machine.connect();
  machine.open();
  machine.close();
  machine.lose(closed_by_server(1000));
  dispatcher.queue();
  EXPECT_EQ(dispatcher.deliver(), Words{"closed user"});
}

TEST(PolicyDelivery, CloseWhenClosedCutsWhatIsLeftOfTheFinishedLife) {
  Machine machine;
  Dispatcher dispatcher(machine);
  machine.connect();
  machine.fail(rejected(404));
  machine.close();
  dispatcher.queue();
  EXPECT_EQ(dispatcher.deliver(), Words{"closed fatal"});
}

TEST(PolicyDelivery, AClosedThatWasOvertakenByANewStartIsNotDelivered) {
  Machine machine;
  Dispatcher dispatcher(machine);
  machine.connect();
  machine.close();
  machine.connect();
  dispatcher.queue();
  EXPECT_EQ(dispatcher.deliver(), Words{"connecting"});
}

TEST(PolicyDelivery, NoEpochIsDueTwice) {
  Delivery delivery;
  EXPECT_FALSE(delivery.admit(Kind::disconnect, 0, 0, 0));
  EXPECT_TRUE(delivery.admit(Kind::connect, 0, 4, 0));
  EXPECT_FALSE(delivery.admit(Kind::disconnect, 0, 3, 0));
  EXPECT_TRUE(delivery.admit(Kind::disconnect, 0, 4, 1));
  EXPECT_FALSE(delivery.admit(Kind::disconnect, 0, 4, 1));
}

}  // namespace
