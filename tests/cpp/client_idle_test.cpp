// What a client that has nothing to do takes: a process may hold thousands of them. What it allocates besides is measured
// over the whole process (tests/integration/test_memory.py).
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "client/client.hpp"
#include "client_inbox_feed.hpp"
#include "client_narrow.hpp"

namespace fastws::inbox_test {
namespace {

using client::testing::Frames;
using client::testing::OnNarrow;
using engine::peer::frames_in;

TEST(Idle, AClientAndItsTransportAreSmall) {
  EXPECT_LE(sizeof(client::Client), 3000U);
  EXPECT_LE(sizeof(client::Transport), 248U);
  EXPECT_LE(sizeof(client::Lane), 136U);
}

TEST(Idle, AQueueThatGaveBackGoesOn) {
  client::Queue queue;
  const auto item = [](std::uint64_t sequence, Kind policy) {
    Item made;
    made.kind = Item::Kind::notice;
    made.notice = std::make_shared<client::Notice>();
    made.policy = policy;
    made.sequence = sequence;
    return made;
  };
  queue.give_back();
  for (std::uint64_t round = 0; round < 3; ++round) {
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.size(), 0U);
    EXPECT_EQ(queue.oldest_droppable(0), 0U);
    EXPECT_EQ(queue.newest_droppable(), 0U);
    queue.push(item(10 * round + 1, Kind::drop_oldest));
    queue.push(item(10 * round + 2, Kind::pause));
    queue.push(item(10 * round + 3, Kind::drop_newest));
    queue.give_back();  // it holds something
    EXPECT_EQ(queue.size(), 3U);
    EXPECT_EQ(queue.oldest_droppable(0), 10 * round + 1);
    EXPECT_EQ(queue.newest_droppable(), 10 * round + 3);
    while (!queue.empty()) queue.pop();
    queue.give_back();
  }
}

TEST(Idle, AnInboxThatGaveBackLosesNothing) {
  const client::Inside inside;
  Feed feed(of(100));
  feed.inbox.set_handlers(Wishes({}, true, true), feed.now);
  std::vector<Item> items;
  std::vector<Item> back;
  for (int number = 0; number < 4; ++number) {
    feed.read({{'p', "", 2 * number}, {'l', "key", 2 * number + 1}});
    feed.inbox.give_back();  // what waits stays
    EXPECT_EQ(feed.inbox.take(Inbox::handlers_lane, 10, items, 0.0), Inbox::Taken::items);
    EXPECT_EQ(items.size(), 2U);
    feed.inbox.done(Inbox::handlers_lane, items, back);
    EXPECT_EQ(feed.inbox.take(Inbox::handlers_lane, 10, items, 0.0), Inbox::Taken::nothing);
  }
  EXPECT_EQ(feed.inbox.counts().handled, 8U);
  EXPECT_EQ(feed.inbox.counts().held, 0U);
}

TEST(Idle, ALineThatGaveBackLosesNothing) {
  OnNarrow one;
  Frames frames;
  const auto send = [&](const std::string& text) {
    EXPECT_EQ(one.send(text), client::Line::Sent::accepted);
    frames.push_back("1:" + text);
  };
  for (int round = 0; round < 3; ++round) {
    one.line.give_back();
    send("written at once");
    one.line.give_back();
    one.stream.room = 5;
    send("begun");
    send("waits");
    one.line.give_back();  // what waits stays
    EXPECT_EQ(one.line.waiting_messages(), 2U);
    one.stream.room = 100000;
    EXPECT_EQ(one.flush(), client::Line::Flush::empty);
  }
  EXPECT_EQ(frames_in(one.stream.written), frames);
}

TEST(Idle, ALineThatGaveBackLosesNothingOfABurst) {
  OnNarrow one;
  int sent = one.begin_burst();
  while (sent < 100) EXPECT_EQ(one.send(std::to_string(sent++)), client::Line::Sent::accepted);
  EXPECT_GT(one.line.waiting_messages(), 0U);
  one.line.give_back();
  while (one.flush() == client::Line::Flush::gathering) {
  }
  Frames frames;
  for (int number = 0; number < sent; ++number) frames.push_back("1:" + std::to_string(number));
  EXPECT_EQ(frames_in(one.stream.written), frames);
}

}  // namespace
}  // namespace fastws::inbox_test
