// Bursts: what is gathered, who writes it and when. See client_line_crowd_test.cpp for many threads.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "client_narrow.hpp"

namespace {

using namespace fastws;
using namespace fastws::client::testing;
using Gathered = Line::Gathered;
using std::chrono::milliseconds;

Frames numbered(int count) {
  Frames frames;
  for (int number = 0; number < count; ++number) frames.push_back("1:" + std::to_string(number));
  return frames;
}

/// One during whose writes something else happens.
struct Busy final : Narrow {
  net::Moved write(const char* data, std::size_t size) override {
    if (meanwhile) meanwhile();
    return Narrow::write(data, size);
  }
  std::function<void()> meanwhile;
};

TEST(LineGathering, ASendAloneIsWrittenByItsCaller) {
  OnNarrow one;
  for (int count = 0; count < 40; ++count) {
    EXPECT_EQ(one.line.gather(Opcode::text, "x", 0), Gathered::no);
    one.send(std::to_string(count));
    EXPECT_EQ(one.stream.writes, static_cast<std::size_t>(count) + 1);
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(one.woken, 0);
  EXPECT_EQ(frames_in(one.stream.written), numbered(40));
}

TEST(LineGathering, ABurstWakesTheIoThreadOnceAndWaitsForIt) {
  OnNarrow one;
  int sent = one.begin_burst();
  const std::size_t before = one.stream.writes;
  for (int count = 0; count < 100; ++count) EXPECT_EQ(one.send(std::to_string(sent++)), Line::Sent::accepted);
  for (int count = 0; count < 100; ++count) {
    EXPECT_EQ(one.line.gather(Opcode::text, std::to_string(sent++), 7), Gathered::yes);
  }
  EXPECT_EQ(one.woken, 1);
  EXPECT_EQ(one.stream.writes, before);
  EXPECT_EQ(one.line.messages(), static_cast<std::uint64_t>(sent));
  EXPECT_EQ(one.line.waiting_messages(), 201u);
  EXPECT_EQ(one.line.flush(), Line::Flush::gathering);
  EXPECT_EQ(one.stream.writes, before + 1) << "many messages, one call";
  EXPECT_EQ(frames_in(one.stream.written), numbered(sent));
  EXPECT_EQ(one.line.waiting_messages(), 0u);
  EXPECT_EQ(one.line.waiting_bytes(), 0u);
}

TEST(LineGathering, ThePromiseEndsOnceNobodyCameInBetween) {
  OnNarrow one;
  const int sent = one.begin_burst();
  EXPECT_EQ(one.line.flush(), Line::Flush::gathering);
  EXPECT_EQ(one.line.gather(Opcode::text, std::to_string(sent), 0), Gathered::yes);
  EXPECT_EQ(one.line.flush(), Line::Flush::gathering);
  EXPECT_EQ(one.line.flush(), Line::Flush::empty);
  EXPECT_EQ(one.line.gather(Opcode::text, "x", 0), Gathered::no);
  std::this_thread::sleep_for(milliseconds(1));
  one.send(std::to_string(sent + 1));
  EXPECT_EQ(one.woken, 1);
  EXPECT_EQ(frames_in(one.stream.written), numbered(sent + 2));
}

TEST(LineGathering, WhatComesDuringAWriteWaitsForTheNext) {
  OnNarrow one;
  Busy stream;
  one.reconnect(stream);
  one.begin_burst();
  const std::size_t before = stream.writes;
  // A sender is delayed by no write in progress; and one that never stops does not keep the I/O thread.
  stream.meanwhile = [&] { EXPECT_EQ(one.line.gather(Opcode::text, "meanwhile", 0), Gathered::yes); };
  EXPECT_EQ(one.line.flush(), Line::Flush::gathering);
  EXPECT_EQ(stream.writes, before + 1);
  EXPECT_EQ(one.line.waiting_messages(), 1u);
  stream.meanwhile = nullptr;
  EXPECT_EQ(one.line.flush(), Line::Flush::gathering);
  EXPECT_EQ(stream.writes, before + 2);
  one.line.shut();
}

TEST(LineGathering, WhatComesDuringTheLastWriteIsNotForgotten) {
  OnNarrow one;
  Busy stream;
  one.reconnect(stream);
  one.begin_burst();
  EXPECT_EQ(one.line.flush(), Line::Flush::gathering);
  // Nobody came since, so that this could be the last time; but a pong is due, and while it is written somebody comes.
  std::string pong;
  engine::append_frame(pong, Opcode::pong, "p");
  one.line.control(pong);
  stream.meanwhile = [&] { EXPECT_EQ(one.line.gather(Opcode::text, "late", 0), Gathered::yes); };
  EXPECT_EQ(one.line.flush(), Line::Flush::gathering);
  stream.meanwhile = nullptr;
  EXPECT_EQ(one.flush(), Line::Flush::empty);
  EXPECT_EQ(frames_in(stream.written).back(), "1:late");
  one.line.shut();
}

TEST(LineGathering, MuchIsWrittenByItsSenderWhenTheIoThreadIsLate) {
  OnNarrow one;
  const int sent = one.begin_burst();
  const std::size_t before = one.stream.writes;
  Frames expected = numbered(sent);
  const std::string text(1000, 'x');
  for (int count = 0; count < 1000; ++count) {
    expected.push_back("1:" + text);
    const Gathered gathered = one.line.gather(Opcode::text, text, 0);
    ASSERT_NE(gathered, Gathered::no);
    if (gathered == Gathered::much) one.line.relieve();
  }
  EXPECT_GT(one.stream.written.size(), 900'000u);
  EXPECT_LT(one.stream.writes - before, 50u);
  one.flush();
  EXPECT_EQ(frames_in(one.stream.written), expected);
}

TEST(LineGathering, NobodyWritesForTheIoThreadWhatTheSocketDoesNotTake) {
  OnNarrow one;
  one.begin_burst();
  one.stream.room = 0;
  EXPECT_EQ(one.line.flush(), Line::Flush::waiting);
  const std::size_t before = one.stream.writes;
  const std::string text(4000, 'x');
  for (int count = 0; count < 100; ++count) {
    if (one.line.gather(Opcode::text, text, 0) == Gathered::much) one.line.relieve();
  }
  EXPECT_EQ(one.stream.writes, before);
  one.line.shut();
}

TEST(LineGathering, OnlyWhatMayBeGatheredIs) {
  OnNarrow one(2000);
  one.begin_burst();
  EXPECT_EQ(one.line.gather(Opcode::text, "other epoch", 6), Gathered::no);
  EXPECT_EQ(one.line.gather(Opcode::text, std::string(10000, 'x'), 0), Gathered::no)
      << "large: its own write";
  EXPECT_EQ(one.line.gather(Opcode::text, std::string(3000, 'x'), 0), Gathered::yes);
  EXPECT_EQ(one.line.gather(Opcode::text, "no room", 0), Gathered::no);
  EXPECT_EQ(one.send("no room", 0, 0.0), Line::Sent::full);
  one.line.flush();
  one.line.stop_accepting();
  EXPECT_EQ(one.line.gather(Opcode::text, "closing", 0), Gathered::no);
  one.line.shut();
  EXPECT_EQ(one.line.gather(Opcode::text, "over", 0), Gathered::no);
}

TEST(LineGathering, ALargeMessageKeepsItsPlace) {
  OnNarrow one;
  const int sent = one.begin_burst();
  const std::string large(100000, 'x');
  one.line.gather(Opcode::text, "before", 0);
  EXPECT_EQ(one.send(large), Line::Sent::accepted);
  one.line.gather(Opcode::text, "after", 0);
  one.flush();
  Frames expected = numbered(sent);
  for (const auto& text : {std::string("before"), large, std::string("after")})
    expected.push_back("1:" + text);
  EXPECT_EQ(frames_in(one.stream.written), expected);
}

TEST(LineGathering, WhatIsPushedGoesBehindWhatWasGathered) {
  OnNarrow one;
  const int sent = one.begin_burst();
  Frames expected = numbered(sent);
  for (const auto write : {Line::Write::now, Line::Write::at_flush}) {
    one.line.gather(Opcode::text, "gathered", 0);
    client::Frames pushed;
    pushed.add(Opcode::text, "pushed");
    EXPECT_TRUE(one.line.push(pushed, 7, write));
    expected.insert(expected.end(), {"1:gathered", "1:pushed"});
  }
  one.flush();
  EXPECT_EQ(one.woken, 1);
  EXPECT_EQ(frames_in(one.stream.written), expected);
}

TEST(LineGathering, TheCloseFrameGoesBehindWhatWasGathered) {
  OnNarrow one;
  const int sent = one.begin_burst();
  one.line.gather(Opcode::text, std::to_string(sent), 0);
  std::string close;
  engine::append_frame(close, Opcode::close, "");
  one.line.finish(close, true);
  EXPECT_EQ(one.line.gather(Opcode::text, "after", 0), Gathered::no);
  EXPECT_EQ(one.line.flush(), Line::Flush::empty);
  Frames expected = numbered(sent + 1);
  expected.emplace_back("8:");
  EXPECT_EQ(frames_in(one.stream.written), expected);
}

TEST(LineGathering, APongGoesBeforeWhatWasGathered) {
  OnNarrow one;
  const int sent = one.begin_burst();
  std::string pong;
  engine::append_frame(pong, Opcode::pong, "p");
  one.line.control(pong);
  one.flush();
  Frames expected = numbered(sent - 1);
  expected.emplace_back("10:p");
  expected.push_back("1:" + std::to_string(sent - 1));
  EXPECT_EQ(frames_in(one.stream.written), expected);
}

TEST(LineGathering, WhatWasGatheredAndNotWrittenIsUnsentAndWhoWaitsForItIsTold) {
  OnNarrow one;
  one.begin_burst();
  one.line.flush();
  one.line.gather(Opcode::text, "lost", 0);
  const auto watch = one.line.watch();
  const client::Inside inside;
  EXPECT_EQ(one.line.await_written(*watch, net::monotonic_now()), client::Departures::Waited::not_yet);
  one.line.gather(Opcode::text, "lost", 0);
  const auto unsent = one.line.shut();
  EXPECT_EQ(unsent.messages, 2u);
  EXPECT_EQ(unsent.bytes, 20u);
  EXPECT_EQ(one.line.await_written(*watch, net::monotonic_now()), client::Departures::Waited::lost);
}

}  // namespace
