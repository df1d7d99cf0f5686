// Sticky messages: order, once per value and connection, and no gap between replay and opening (reconnect-spec R10).
#include "client/sticky.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "client_narrow.hpp"

namespace {

using namespace fastws;
using namespace fastws::client::testing;
using client::Sticky;

struct Fixture {
  Fixture() : line(1000, [] {}), sticky(line) {}
  void open(std::uint64_t epoch) {
    stream.written.clear();
    line.attach(&stream);
    sticky.open(epoch, nullptr);
    line.flush();
  }
  Frames out() {
    line.flush();
    return frames_in(stream.written);
  }

  Narrow stream;
  Line line;
  Sticky sticky;
};

TEST(Sticky, IsReplayedOnEveryConnectionInOrderOfInsertion) {
  Fixture one;
  EXPECT_FALSE(one.sticky.set("b", "1", false));
  EXPECT_FALSE(one.sticky.set("a", "2", false));
  EXPECT_FALSE(one.sticky.set("b", "3", false));  // keeps its place
  for (std::uint64_t epoch = 1; epoch < 4; ++epoch) {
    one.open(epoch);
    EXPECT_EQ(one.out(), (Frames{"1:3", "1:2"}));
    one.line.shut();
  }
}

TEST(Sticky, IsSentAtOnceWhileOpenAndOncePerValue) {
  Fixture one;
  one.open(1);
  EXPECT_TRUE(one.sticky.set("a", "1", false));
  EXPECT_TRUE(one.sticky.set("a", "1", false));
  EXPECT_TRUE(one.sticky.set("b", "1", false));  // another key
  EXPECT_TRUE(one.sticky.set("a", "2", false));
  EXPECT_TRUE(one.sticky.set("a", "1", false));
  EXPECT_EQ(one.out(), (Frames{"1:1", "1:1", "1:2"}));
  one.line.shut();
  one.open(2);
  EXPECT_EQ(one.out(), (Frames{"1:1", "1:1"}));
  one.line.shut();
}

TEST(Sticky, ForgettingAKeyForgetsWhatWasSent) {
  Fixture one;
  one.open(1);
  one.sticky.set("a", "1", false);
  EXPECT_TRUE(one.sticky.unset("a"));
  EXPECT_FALSE(one.sticky.unset("a"));
  one.sticky.set("a", "1", false);
  EXPECT_EQ(one.out(), (Frames{"1:1", "1:1"}));
  one.sticky.unset("a");
  one.line.shut();
  one.open(2);
  EXPECT_EQ(one.out(), Frames{});
  one.line.shut();
}

TEST(Sticky, ThoseAfterConnectWaitForItsHandlersOnce) {
  Fixture one;
  one.sticky.set("late", "late", true);
  one.sticky.set("early", "early", false);
  one.open(1);
  EXPECT_FALSE(one.sticky.set("later", "later", true));
  EXPECT_EQ(one.out(), Frames{"1:early"});
  one.sticky.release(9);  // another connection's
  EXPECT_EQ(one.out(), Frames{"1:early"});
  one.sticky.release(1);
  one.sticky.release(1);
  EXPECT_TRUE(one.sticky.set("last", "last", true));
  EXPECT_EQ(one.out(), (Frames{"1:early", "1:late", "1:later", "1:last"}));
  one.line.shut();
  one.open(2);
  EXPECT_EQ(one.out(), Frames{"1:early"});
  one.sticky.release(1);  // late
  EXPECT_EQ(one.out(), Frames{"1:early"});
  one.line.shut();
}

TEST(Sticky, PassesAFullOutboxWithoutWaiting) {
  Fixture one;
  one.open(1);
  one.stream.room = 0;
  client::Frames much;
  much.add(engine::Opcode::text, std::string(2000, 'x'));
  ASSERT_TRUE(one.line.push(much, 1, Line::Write::now));
  EXPECT_TRUE(one.sticky.set("a", "1", false));
  one.stream.room = 10000;
  EXPECT_EQ(one.out().back(), "1:1");
  one.line.shut();
}

TEST(Sticky, NothingIsLostBetweenReplayAndOpening) {
  for (int round = 0; round < 300; ++round) {
    Fixture one;
    std::thread setter([&] {
      const client::Inside inside;
      one.sticky.set("a", "1", false);
    });
    {
      const client::Inside inside;
      one.line.attach(&one.stream);
      one.sticky.open(1, nullptr);
    }
    setter.join();
    EXPECT_EQ(one.out(), Frames{"1:1"});
    one.line.shut();
  }
}

}  // namespace
