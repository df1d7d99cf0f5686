// What a full inbox loses and when it pauses (api section 4, "Overflow"), rule by rule, and that memory comes back.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "client_inbox_feed.hpp"

namespace {

using namespace fastws;
using namespace fastws::inbox_test;

// --- Dropping --------------------------------------------------------------------------------------------------------

TEST(Overflow, DropOldestKeepsTheNewestAndNeverPauses) {
  Feed feed(of(4));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  EXPECT_FALSE(feed.read(run('o', 0, 10)));
  EXPECT_EQ(feed.inbox.counts().drops.overflow, 6u);
  EXPECT_EQ(feed.texts(), texts(run('o', 6, 10)));
}

TEST(Overflow, DropNewestKeepsTheOldestAndNeverPauses) {
  Feed feed(of(4));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  EXPECT_FALSE(feed.read(run('n', 0, 10)));
  EXPECT_EQ(feed.inbox.counts().drops.overflow, 6u);
  EXPECT_EQ(feed.texts(), texts(run('n', 0, 4)));
}

TEST(Overflow, DroppableMessagesGoFirstAndOnlyThenReadingPauses) {
  Feed feed(of(4));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  EXPECT_FALSE(feed.read(run('o', 0, 2)));
  EXPECT_FALSE(feed.read(run('n', 2, 4)));
  EXPECT_FALSE(feed.read(run('p', 4, 7)));
  EXPECT_TRUE(feed.read(run('p', 7, 8)));
  EXPECT_EQ(feed.inbox.counts().drops.overflow, 4u);
  EXPECT_EQ(feed.texts(), texts(run('p', 4, 8)));
  EXPECT_TRUE(feed.room);
}

TEST(Overflow, OldestGoBeforeNewest) {
  Feed feed(of(4));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  feed.read({{'n', "", 0}, {'n', "", 1}, {'o', "", 2}, {'o', "", 3}});
  feed.read(run('p', 4, 7));
  EXPECT_EQ(feed.texts(), texts({{'n', "", 0}, {'p', "", 4}, {'p', "", 5}, {'p', "", 6}}));
}

TEST(Overflow, WhatJustCameStaysIfAnythingElseMayGo) {
  Feed feed(of(2));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  feed.read({{'n', "", 0}, {'n', "", 1}, {'o', "", 2}});
  EXPECT_EQ(feed.texts(), texts({{'n', "", 0}, {'o', "", 2}}));
  feed.read({{'p', "", 0}, {'p', "", 1}, {'o', "", 2}});
  EXPECT_EQ(feed.texts(), texts(run('p', 0, 2)));
}

TEST(Overflow, OneMessageOfAnySizePassesAnEmptyInbox) {
  for (const char route : {'p', 'o', 'n', 'l'}) {
    InboxLimits limits;
    limits.bytes = 10;
    Feed feed(limits);
    feed.inbox.set_handlers(Wishes::all(), 0.0);
    const Sent large{route, std::string(5000, 'x'), 1};
    EXPECT_EQ(feed.read({large}), route == 'p' || route == 'l');
    EXPECT_EQ(feed.texts(), texts({large}));
  }
}

TEST(Overflow, BytesAreALimitToo) {
  InboxLimits limits;
  limits.bytes = 100000;
  Feed feed(limits);
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  for (int number = 0; number < 100; ++number) {
    EXPECT_FALSE(feed.read({{'o', std::string(10000, 'x'), number}}));
    EXPECT_LE(feed.inbox.counts().bytes, limits.bytes);
  }
  const Texts left = feed.texts();
  EXPECT_EQ(left.size(), 9u);
  EXPECT_EQ(left.back(), (Sent{'o', std::string(10000, 'x'), 99}.text()));
}

TEST(Overflow, WhatAConsumerHoldsIsNoReasonToDrop) {
  Feed feed(of(3));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  feed.read(run('o', 0, 3));
  std::vector<Item> hands;
  std::vector<Item> back;
  feed.take(Inbox::handlers_lane, 3, hands);
  EXPECT_FALSE(feed.read(run('o', 3, 6)));
  EXPECT_EQ(feed.inbox.counts().drops.overflow, 0u);
  // What goes back unbuilt is older than what came meanwhile, so it is what goes.
  feed.inbox.done(Inbox::handlers_lane, back, hands);
  EXPECT_EQ(feed.inbox.counts().drops.overflow, 3u);
  EXPECT_EQ(feed.texts(), texts(run('o', 3, 6)));
}

TEST(Overflow, TellsABurstForEachRoute) {
  Feed feed(of(1));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  feed.read(run('o', 0, 5));
  feed.read(run('n', 0, 3));
  EXPECT_TRUE(feed.inbox.take_dropped(feed.now + 0.5).empty());
  const auto bursts = feed.inbox.take_dropped(feed.now + 1.0);
  ASSERT_EQ(bursts.size(), 2u);
  EXPECT_EQ(bursts[0]->route, "n");
  EXPECT_EQ(bursts[0]->dropped.count, 3u);
  EXPECT_EQ(bursts[1]->route, "o");
  EXPECT_EQ(bursts[1]->cause, "overflow");
  EXPECT_EQ(bursts[1]->dropped.count, 4u);
  EXPECT_FALSE(feed.inbox.burst_check());
}

TEST(Overflow, ABurstBegunByWhatGoesBackIsAnnounced) {
  Feed feed(of(4));
  const auto reader = feed.inbox.open_reader({{"o"}, false, false});
  feed.read(run('o', 0, 2));
  std::vector<Item> worked;
  std::vector<Item> back;
  feed.take(reader, 2, back);
  feed.read(run('o', 2, 6));
  EXPECT_EQ(feed.bursts_begun, 0);
  feed.inbox.done(reader, worked, back, feed.now + 5.0);
  EXPECT_EQ(feed.bursts_begun, 1);
  EXPECT_DOUBLE_EQ(feed.inbox.burst_check().value_or(0.0), feed.now + 6.0);
}

TEST(Overflow, ABurstBegunByAReaderThatGoesIsAnnounced) {
  Feed feed(of(5000));
  const auto reader = feed.inbox.open_reader({{"p"}, false, false});
  feed.read(run('p', 0, 1500));
  EXPECT_EQ(feed.bursts_begun, 0);
  feed.inbox.close_reader(reader, feed.now + 5.0);
  EXPECT_EQ(feed.bursts_begun, 1);
  EXPECT_DOUBLE_EQ(feed.inbox.burst_check().value_or(0.0), feed.now + 6.0);
}

TEST(Overflow, OnlyABurstWithoutOthersIsAnnounced) {
  Feed feed(of(1));
  feed.inbox.set_handlers(Wishes::all(), 100.0);
  feed.read(run('o', 0, 5));
  feed.read(run('n', 0, 5));
  EXPECT_EQ(feed.bursts_begun, 1);
  EXPECT_EQ(feed.inbox.take_dropped(feed.now + 1.0).size(), 2u);
  feed.read(run('o', 0, 5));
  EXPECT_EQ(feed.bursts_begun, 2);
}

TEST(Overflow, AHostileServersRoutesMakeNoEndlessBursts) {
  Overflow overflow;
  overflow.others = {Kind::drop_newest, ""};
  Feed feed(of(1), overflow);
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  feed.inbox.begin(feed.now);
  for (int number = 0; number < 1000; ++number) {
    const std::string route = std::to_string(number);
    feed.inbox.add(Item::Kind::text, json::Reader::append_text(feed.inbox.tape(), "{}"), true, route, "{}");
  }
  feed.inbox.publish(0);
  const auto bursts = feed.inbox.take_dropped(feed.now + 1.0);
  EXPECT_EQ(bursts.size(), 257u);
  std::uint64_t told = 0;
  for (const auto& burst : bursts) told += burst->dropped.count;
  EXPECT_EQ(told, 999u);
  EXPECT_EQ(feed.inbox.counts().drops.overflow, 999u);
}

// --- Who is asked ----------------------------------------------------------------------------------------------------

TEST(Overflow, ReadersOfAClientWithoutHandlersFollowIt) {
  Feed feed(of(3));
  const auto reader = feed.inbox.open_reader(Wishes::all());
  EXPECT_FALSE(feed.read(run('o', 0, 5)));
  EXPECT_EQ(feed.inbox.counts().drops.overflow, 2u);
  EXPECT_TRUE(feed.read(run('p', 5, 8)));
  EXPECT_EQ(feed.texts(reader), texts(run('p', 5, 8)));
}

TEST(Overflow, WithHandlersWhatReadersLeaveGoesFirstAsUnread) {
  Feed feed(of(3));
  feed.inbox.set_handlers({{"o"}, false, false}, 0.0);
  const auto reader = feed.inbox.open_reader({{"p"}, false, false});
  EXPECT_FALSE(feed.read(run('p', 0, 3)));
  EXPECT_FALSE(feed.read(run('o', 3, 5)));
  EXPECT_EQ(feed.inbox.counts().drops.unread, 2u);
  EXPECT_EQ(feed.inbox.counts().drops.overflow, 0u);
  EXPECT_EQ(feed.texts(reader), texts(run('p', 2, 3)));
  EXPECT_EQ(feed.texts(), texts(run('o', 3, 5)));
}

TEST(Overflow, AHandlerThatComesLetsReadingGoOn) {
  Feed feed(of(3));
  feed.inbox.open_reader({{"p"}, false, false});
  EXPECT_TRUE(feed.read(run('p', 0, 3)));
  EXPECT_TRUE(feed.inbox.set_handlers({{"x"}, false, false}, 0.0));
}

TEST(Overflow, AReaderThatGoesLetsReadingGoOn) {
  Feed feed(of(3));
  const auto reader = feed.inbox.open_reader({{"p"}, false, false});
  EXPECT_TRUE(feed.read(run('p', 0, 3)));
  EXPECT_TRUE(feed.inbox.close_reader(reader, feed.now));
}

TEST(Overflow, NoticesAreNeverDropped) {
  Feed feed(of(2));
  feed.inbox.set_dispatching(true);
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  for (int number = 0; number < 10; ++number) {
    feed.inbox.notify(std::make_shared<client::Notice>());
    feed.read(run('o', number, number + 1));
  }
  std::vector<Item> items;
  std::vector<Item> back;
  feed.take(Inbox::handlers_lane, 100, items);
  EXPECT_EQ(
      std::count_if(items.begin(), items.end(), [](const Item& item) { return item.notice != nullptr; }), 10);
  EXPECT_EQ(items.size(), 12u);
  feed.inbox.done(Inbox::handlers_lane, items, back);
}

// --- Memory ----------------------------------------------------------------------------------------------------------

TEST(Overflow, WhatLatestKeepsDoesNotKeepTheRest) {
  Feed feed(of(1000000));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  std::size_t most = 0;
  int number = 0;
  for (int round = 0; round < 1000; ++round) {
    std::vector<Sent> messages;
    for (int count = 0; count < 300; ++count, ++number) {
      messages.push_back({'l', "symbol" + std::to_string(number % 10), number});
    }
    feed.read(messages);
    most = std::max(most, feed.inbox.counts().held);
  }
  EXPECT_LT(most, std::size_t{2} << 20);
  EXPECT_EQ(feed.inbox.counts().messages, 10u);
  const Texts left = feed.texts();
  ASSERT_EQ(left.size(), 10u);
  for (int index = 0; index < 10; ++index) {
    EXPECT_EQ(left[static_cast<std::size_t>(index)],
              (Sent{'l', "symbol" + std::to_string(index), number - 10 + index}.text()));
  }
  EXPECT_LT(feed.inbox.counts().held, std::size_t{1} << 20);
}

TEST(Overflow, OneUnhandledMessageDoesNotKeepWhatAReaderTookBesideIt) {
  Feed feed(of(1000000));
  feed.inbox.set_handlers({{"p"}, false, false}, 0.0);
  const auto reader = feed.inbox.open_reader({{"o"}, false, false});
  std::size_t most = 0;
  std::vector<Sent> kept;
  for (int round = 0; round < 1000; ++round) {
    std::vector<Sent> messages = run('o', 0, 300);
    messages.push_back({'p', "", round});
    kept.push_back(messages.back());
    feed.read(messages);
    feed.texts(reader);
    most = std::max(most, feed.inbox.counts().held);
  }
  EXPECT_LT(most, std::size_t{2} << 20);
  EXPECT_EQ(feed.texts(), texts(kept));
}

}  // namespace
