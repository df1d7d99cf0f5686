// The way out: order, epochs, partial writes, the Close frame's place, and what stays unsent (reconnect-spec R7, R8).
#include "client/line.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "client/bell.hpp"
#include "client/gate.hpp"
#include "client_narrow.hpp"
#include "engine_peer.hpp"
#include "net/loop.hpp"

namespace {

using namespace fastws;
using namespace fastws::client::testing;

TEST(Line, WritesAtOnceWhenNothingWaits) {
  OnNarrow one;
  EXPECT_EQ(one.send("hello"), Line::Sent::accepted);
  EXPECT_EQ(frames_in(one.stream.written), Frames{"1:hello"});
  EXPECT_EQ(one.woken, 0);
}

TEST(Line, GathersWhatCouldNotBeWrittenAndWakesTheIoThreadOnce) {
  OnNarrow one;
  one.stream.room = 0;
  for (int count = 0; count < 3; ++count) EXPECT_EQ(one.send(std::to_string(count)), Line::Sent::accepted);
  EXPECT_EQ(one.woken, 1);
  EXPECT_EQ(one.line.waiting_messages(), 3u);
  EXPECT_EQ(one.line.flush(), Line::Flush::waiting);
  one.stream.room = 1000;
  EXPECT_EQ(one.flush(), Line::Flush::empty);
  EXPECT_EQ(frames_in(one.stream.written), (Frames{"1:0", "1:1", "1:2"}));
  EXPECT_EQ(one.line.waiting_messages(), 0u);
  EXPECT_EQ(one.line.waiting_bytes(), 0u);
}

TEST(Line, AcceptsOnlyForTheEpochThatIsOpen) {
  OnNarrow one;
  EXPECT_EQ(one.send("x", 6), Line::Sent::not_open);
  EXPECT_EQ(one.send("x", 7), Line::Sent::accepted);
  one.line.shut();
  EXPECT_EQ(one.send("x"), Line::Sent::not_open);
  EXPECT_EQ(one.send("x", 7), Line::Sent::not_open);
}

TEST(Line, AControlFrameGoesBeforeWaitingMessagesButBetweenFrames) {
  OnNarrow one;
  one.stream.room = 4;
  one.send("first");
  one.send("second");
  ASSERT_TRUE(one.line.send_control(Opcode::ping, "p"));
  one.stream.room = 1000;
  EXPECT_EQ(one.flush(), Line::Flush::empty);
  EXPECT_EQ(frames_in(one.stream.written), (Frames{"1:first", "9:p", "1:second"}));
}

TEST(Line, EveryWidthOfTheSocketGivesTheSameFrames) {
  for (std::size_t width = 1; width < 40; ++width) {
    OnNarrow one;
    one.stream.room = width;
    one.send("first");
    one.send(std::string(300, 'x'));
    one.line.send_control(Opcode::pong, "p");
    one.send("last");
    for (int turn = 0; turn < 2000 && one.flush() == Line::Flush::waiting; ++turn) one.stream.room = width;
    const auto found = frames_in(one.stream.written);
    EXPECT_EQ(found.size(), 4u) << width;
    Frames texts;
    for (const auto& frame : found) {
      if (frame.rfind("1:", 0) == 0) texts.push_back(frame);
    }
    EXPECT_EQ(texts, (Frames{"1:first", "1:" + std::string(300, 'x'), "1:last"})) << width;
  }
}

TEST(Line, OurCloseFrameGoesBehindWhatWasAcceptedAndNothingFollowsIt) {
  OnNarrow one;
  one.stream.room = 0;
  one.send("before");
  std::string close;
  engine::append_frame(close, Opcode::close, "");
  one.line.finish(close, true);
  EXPECT_EQ(one.send("after"), Line::Sent::not_open);
  EXPECT_FALSE(one.line.send_control(Opcode::ping, "p"));
  one.stream.room = 1000;
  one.line.flush();
  EXPECT_EQ(frames_in(one.stream.written), (Frames{"1:before", "8:"}));
}

TEST(Line, NothingFollowsACloseFrameThatGoesBeforeWhatWaits) {
  OnNarrow one;
  one.stream.room = 3;
  one.send("begun");
  one.send("waits");
  std::string close;
  engine::append_frame(close, Opcode::close, "");
  one.line.finish(close, false);
  one.stream.room = 1000;
  EXPECT_EQ(one.flush(), Line::Flush::empty);
  EXPECT_EQ(frames_in(one.stream.written), (Frames{"1:begun", "8:"}));
  EXPECT_EQ(one.line.shut().messages, 1u);
}

TEST(Line, ShuttingCountsWhatWasNotWritten) {
  OnNarrow one;
  one.stream.room = 3;
  one.send("aaaa");
  one.send("bbbb");
  const auto unsent = one.line.shut();
  EXPECT_EQ(unsent.messages, 2u);
  EXPECT_GT(unsent.bytes, 8u);
  EXPECT_TRUE(one.stream.closed);
}

TEST(Line, NothingCrossesToTheNextConnection) {
  OnNarrow one;
  one.stream.room = 0;
  one.send("old");
  Narrow next;
  one.reconnect(next);
  one.send("new");
  one.line.flush();
  EXPECT_EQ(frames_in(next.written), Frames{"1:new"});
  one.line.shut();
}

TEST(Line, AFullOutboxMakesASenderWaitAndThenSaysSo) {
  OnNarrow one(10);
  one.stream.room = 0;
  EXPECT_EQ(one.send(std::string(100, 'x')), Line::Sent::accepted);  // one of any size passes an empty outbox
  EXPECT_EQ(one.send("y", 0, 0.02), Line::Sent::full);
  Line::Sent sent = Line::Sent::full;
  std::thread sender([&] { sent = one.send("z", 0, 10.0); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  one.stream.room = 1000;
  one.line.flush();
  sender.join();
  EXPECT_EQ(sent, Line::Sent::accepted);
  one.line.shut();
}

TEST(Line, WhoeverWasRefusedIsRungForOnceThereIsRoom) {
  Narrow stream;
  client::Bell bell;
  const auto wakeup = client::Wakeup::make();
  bell.open(wakeup, 1);
  Line line(10, [] {}, &bell);
  line.attach(&stream);
  line.open(7, nullptr);
  const auto send = [&] {
    const client::Inside inside;
    return line.send(Opcode::text, "0123456789", 0, 0.0);
  };
  const auto rung = [&] {
    const bool was = !wakeup->answer().empty();
    bell.quiet();
    return was;
  };
  stream.room = 0;
  EXPECT_EQ(send(), Line::Sent::accepted);
  stream.room = 1;
  line.flush();
  EXPECT_FALSE(rung()) << "nobody was refused";
  EXPECT_EQ(send(), Line::Sent::full);
  stream.room = 1000;
  line.flush();
  EXPECT_TRUE(rung());
  stream.room = 0;
  EXPECT_EQ(send(), Line::Sent::accepted);
  EXPECT_EQ(send(), Line::Sent::full);
  line.shut();
  EXPECT_TRUE(rung()) << "it has to learn that the connection is over";
}

TEST(Line, AWaitingSenderIsToldWhenTheConnectionEnds) {
  OnNarrow one(10);
  one.stream.room = 0;
  one.send(std::string(100, 'x'));
  Line::Sent sent = Line::Sent::full;
  std::thread sender([&] { sent = one.send("z", 0, 10.0); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  one.line.shut();
  sender.join();
  EXPECT_EQ(sent, Line::Sent::not_open);
}

TEST(Line, ABrokenStreamIsToldByFlush) {
  OnNarrow one;
  one.stream.broken = true;
  EXPECT_EQ(one.send("x"), Line::Sent::accepted);
  EXPECT_EQ(one.line.flush(), Line::Flush::broken);
  EXPECT_EQ(one.line.shut().messages, 1u);
}

TEST(Line, ManySendersKeepTheirOwnOrder) {
  OnNarrow one;
  one.stream.room = 0;
  std::vector<std::thread> senders;
  for (int number = 0; number < 4; ++number) {
    senders.emplace_back([&, number] {
      for (int count = 0; count < 500; ++count) {
        EXPECT_EQ(one.send(std::to_string(number) + "/" + std::to_string(count)), Line::Sent::accepted);
      }
    });
  }
  for (auto& sender : senders) sender.join();
  one.stream.room = std::size_t{1} << 30;
  EXPECT_EQ(one.flush(), Line::Flush::empty);
  std::vector<int> next(4, 0);
  for (const auto& frame : frames_in(one.stream.written)) {
    const int number = frame[2] - '0';
    EXPECT_EQ(frame,
              "1:" + std::to_string(number) + "/" + std::to_string(next[static_cast<std::size_t>(number)]++));
  }
  EXPECT_EQ(next, (std::vector<int>{500, 500, 500, 500}));
}

}  // namespace
