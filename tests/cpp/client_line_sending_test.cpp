// Many messages at once, what must not wait, and who waits until all is written.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "client_narrow.hpp"

namespace {

using namespace fastws;
using namespace fastws::client::testing;
using Waited = client::Departures::Waited;

std::vector<std::string> numbers(int count) {
  std::vector<std::string> texts;
  for (int number = 0; number < count; ++number) texts.push_back(std::to_string(number));
  return texts;
}

Frames as_frames(const std::vector<std::string>& texts) {
  Frames frames;
  for (const auto& text : texts) frames.push_back("1:" + text);
  return frames;
}

struct Sent {
  Line::Sent sent;
  std::size_t accepted = 0;
};

Sent send_many(Line& line, const std::vector<std::string>& texts, std::uint64_t epoch = 0,
               double seconds = 0.0) {
  const client::Inside inside;
  const std::vector<std::string_view> payloads(texts.begin(), texts.end());
  Sent result{};
  result.sent = line.send_many(Opcode::text, payloads.data(), payloads.size(), epoch,
                               net::monotonic_now() + seconds, result.accepted);
  return result;
}

client::Frames framed(const std::string& text) {
  client::Frames frames;
  frames.add(Opcode::text, text);
  return frames;
}

TEST(LineSending, ManyMessagesCostFewWrites) {
  OnNarrow one;
  const auto texts = numbers(20000);
  const Sent result = send_many(one.line, texts);
  EXPECT_EQ(result.sent, Line::Sent::accepted);
  EXPECT_EQ(result.accepted, texts.size());
  EXPECT_EQ(frames_in(one.stream.written), as_frames(texts));
  EXPECT_LE(one.stream.writes, one.stream.written.size() / 60000 + 2);
  EXPECT_EQ(one.woken, 0);
  EXPECT_EQ(one.line.messages(), texts.size());
  EXPECT_EQ(one.line.bytes(), one.stream.written.size());
}

TEST(LineSending, WhatDoesNotFitWaitsInOrderAndWakesTheIoThreadOnce) {
  for (std::size_t width = 1; width < 60; width += 7) {
    OnNarrow one;
    one.stream.room = width;
    const auto texts = numbers(50);
    EXPECT_EQ(send_many(one.line, texts).accepted, 50u);
    EXPECT_EQ(one.woken, 1);
    EXPECT_EQ(one.line.send_control(Opcode::ping, "p"), true);
    while (one.flush() == Line::Flush::waiting) one.stream.room = width;
    Frames messages;
    for (const auto& frame : frames_in(one.stream.written)) {
      if (frame != "9:p") messages.push_back(frame);
    }
    EXPECT_EQ(messages, as_frames(texts)) << width;
  }
}

TEST(LineSending, AFullOutboxStopsInTheMiddleAndSaysWhere) {
  OnNarrow one(70000);
  one.stream.room = 0;
  const std::vector<std::string> texts(10, std::string(40000, 'x'));
  const Sent result = send_many(one.line, texts);
  EXPECT_EQ(result.sent, Line::Sent::full);
  EXPECT_EQ(result.accepted, 2u);
  one.stream.room = std::size_t{1} << 30;
  one.line.flush();
  EXPECT_EQ(frames_in(one.stream.written), as_frames({texts[0], texts[1]}));
}

TEST(LineSending, ManyDoNotCrossToTheNextConnectionInTheMiddle) {
  OnNarrow one(10);
  one.stream.room = 0;
  one.send(std::string(100, 'x'));
  Sent result{};
  std::thread sender([&] { result = send_many(one.line, {"first", "second"}, 0, 10.0); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  Narrow next;
  one.reconnect(next);
  sender.join();
  EXPECT_EQ(result.sent, Line::Sent::not_open);
  EXPECT_EQ(result.accepted, 0u);
  EXPECT_EQ(next.written, "");
  one.line.shut();
}

TEST(LineSending, NobodyWaitsForRoomWhenNothingIsAcceptedAnyMore) {
  for (int round = 0; round < 500; ++round) {
    OnNarrow one(10);
    one.stream.room = 0;
    one.send(std::string(100, 'x'));
    Line::Sent sent = Line::Sent::accepted;
    std::thread sender([&] { sent = one.send("waits", 0, 60.0); });
    if (round % 2 != 0) std::this_thread::yield();
    one.line.stop_accepting();
    sender.join();
    ASSERT_EQ(sent, Line::Sent::not_open);
    one.line.shut();
  }
}

TEST(LineSending, WhatMustNotWaitPassesAFullOutboxBehindWhatWaits) {
  OnNarrow one(10);
  one.stream.room = 0;
  one.send(std::string(100, 'x'));
  EXPECT_TRUE(one.line.full());
  EXPECT_TRUE(one.line.push(framed("sticky"), 7, Line::Write::now));
  EXPECT_FALSE(one.line.push(framed("other epoch"), 6, Line::Write::now));
  EXPECT_FALSE(one.line.push(framed("no epoch"), 0, Line::Write::now));
  one.stream.room = 1000;
  one.line.flush();
  EXPECT_EQ(frames_in(one.stream.written), as_frames({std::string(100, 'x'), "sticky"}));
  one.line.stop_accepting();
  EXPECT_FALSE(one.line.push(framed("closing"), 7, Line::Write::now));
}

TEST(LineSending, PushedAtFlushIsWrittenByFlushAlone) {
  OnNarrow one;
  EXPECT_TRUE(one.line.push(framed("a"), 7, Line::Write::at_flush));
  EXPECT_TRUE(one.line.push(framed("b"), 7, Line::Write::at_flush));
  EXPECT_EQ(one.stream.written, "");
  one.send("c");  // not before them
  EXPECT_EQ(one.woken, 0);
  EXPECT_EQ(one.flush(), Line::Flush::empty);
  EXPECT_EQ(frames_in(one.stream.written), as_frames({"a", "b", "c"}));
  EXPECT_EQ(one.stream.writes, 1u);
}

TEST(LineSending, WhatOpensWithTheLineGoesBeforeEverySender) {
  OnNarrow one;
  one.line.shut();
  Narrow stream;
  one.line.attach(&stream);
  one.line.open(8, nullptr, framed("sticky"));
  one.send("sender", 8);
  one.line.flush();
  EXPECT_EQ(frames_in(stream.written), as_frames({"sticky", "sender"}));
  one.line.shut();
}

TEST(LineSending, WaitsUntilWhatIsThereNowIsWritten) {
  OnNarrow one;
  {
    const client::Inside inside;
    EXPECT_EQ(one.line.await_written(*one.line.watch(), net::monotonic_now()), Waited::left);
  }
  one.stream.room = 0;
  one.send("first");
  const auto watch = one.line.watch();
  Waited waited = Waited::not_yet;
  std::thread waiter([&] {
    const client::Inside inside;
    waited = one.line.await_written(*watch, net::monotonic_now() + 10.0);
  });
  one.send("second");
  one.stream.room = 11;  // the first frame alone
  one.line.flush();
  waiter.join();
  EXPECT_EQ(waited, Waited::left);
  EXPECT_EQ(one.line.waiting_messages(), 1u);
  one.line.shut();
}

TEST(LineSending, WhoWaitsIsToldOfALossAndOfTheTime) {
  OnNarrow one;
  one.stream.room = 0;
  one.send("x");
  const auto watch = one.line.watch();
  {
    const client::Inside inside;
    EXPECT_EQ(one.line.await_written(*watch, net::monotonic_now() + 0.01), Waited::not_yet);
  }
  Narrow next;
  one.reconnect(next);
  one.send("later", 8);
  const client::Inside inside;
  EXPECT_EQ(one.line.await_written(*watch, net::monotonic_now() + 10.0), Waited::lost);
  EXPECT_EQ(one.line.lost(), 1u);
  one.line.shut();
}

}  // namespace
