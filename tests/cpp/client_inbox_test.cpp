// The inbox: order, limits, the ring and readers (api section 4, reconnect-spec R13).
#include "client/inbox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "client_inbox_rig.hpp"

namespace {

using namespace fastws;
using client::Inbox;
using client::InboxLimits;
using client::Item;
using client::Wishes;
using client::testing::Feed;
using client::testing::Routes;

TEST(Inbox, GivesHandlersWhatTheyWantInOrder) {
  Feed feed;
  feed.inbox.set_handlers({{"a", "b"}, false, false}, 0.0);
  feed.read({"a", "b"});
  feed.read({"a"});
  EXPECT_EQ(feed.take(), (Routes{"a", "b", "a"}));
  EXPECT_EQ(feed.take(), Routes{});
}

TEST(Inbox, DropsNativelyAndCountsByTypeAfterSettling) {
  Feed feed;
  feed.inbox.first_open(10.0);
  feed.inbox.set_handlers({{"a"}, false, false}, 10.0);
  feed.read({"a", "x", "x", "y"});
  const auto counts = feed.inbox.counts();
  EXPECT_EQ(counts.drops.unhandled, 3u);
  EXPECT_EQ(counts.unhandled_by_type.at("x"), 2u);
  EXPECT_EQ(feed.take(), Routes{"a"});
}

TEST(Inbox, WithoutSettlingDropsNativelyFromTheFirstReadAfterOpening) {
  InboxLimits limits;
  limits.settle = 0.0;
  Feed feed(limits);
  feed.inbox.set_handlers({{"a"}, false, false}, 10.0);
  feed.inbox.begin(feed.now);
  EXPECT_TRUE(feed.inbox.undecided());
  feed.inbox.first_open(feed.now);  // in the read that brings the handshake's end
  feed.inbox.publish(feed.life);
  feed.inbox.begin(feed.now);
  EXPECT_FALSE(feed.inbox.undecided());
  feed.inbox.publish(feed.life);
}

TEST(Inbox, KeepsWhatNobodyClaimedForALateHandler) {
  Feed feed;
  feed.read({"a", "b", "a"});
  feed.inbox.set_handlers({{"b"}, false, false}, 100.0);
  EXPECT_EQ(feed.take(), Routes{"b"});
  feed.inbox.set_handlers({{"a", "b"}, false, false}, 100.0);
  EXPECT_EQ(feed.take(), (Routes{"a", "a"}));
}

TEST(Inbox, ALateHandlerIsGivenOlderMessagesBeforeNewerOnes) {
  Feed feed;
  feed.inbox.set_handlers({{"b"}, false, false}, 100.0);
  feed.read({"a", "b", "a", "b"});
  feed.inbox.set_handlers({{"a", "b"}, false, false}, 100.0);
  EXPECT_EQ(feed.take(), (Routes{"a", "b", "a", "b"}));
}

TEST(Inbox, TheRingKeepsTheNewest1024AndTellsTheRest) {
  Feed feed;
  feed.read(Routes(1500, "a"));
  EXPECT_EQ(feed.inbox.counts().drops.unclaimed, 476u);
  const auto bursts = feed.inbox.take_dropped(feed.now + 1.0);
  ASSERT_EQ(bursts.size(), 1u);
  EXPECT_EQ(bursts[0]->cause, "unclaimed");
  EXPECT_EQ(bursts[0]->dropped.count, 476u);
  feed.inbox.set_handlers(Wishes::all(), 100.0);
  EXPECT_EQ(feed.take(Inbox::handlers_lane, 5000).size(), 1024u);
}

TEST(Inbox, ABurstThatDoesNotEndIsToldEveryTenSeconds) {
  Feed feed;
  feed.read(Routes(1024, "a"));
  std::vector<std::uint64_t> told;
  for (int i = 0; i < 50; ++i) {  // a drop every half second
    feed.read({"a"});
    for (const auto& burst : feed.inbox.take_dropped(feed.now)) told.push_back(burst->dropped.count);
    feed.now += 0.5;
  }
  EXPECT_EQ(told, (std::vector<std::uint64_t>{21, 21}));
  for (const auto& burst : feed.inbox.take_dropped(feed.now + 1.0)) told.push_back(burst->dropped.count);
  EXPECT_EQ(told, (std::vector<std::uint64_t>{21, 21, 8}));
  EXPECT_FALSE(feed.inbox.burst_check());
}

TEST(Inbox, TheRingIsEmptiedWhenSettled) {
  Feed feed;
  feed.inbox.first_open(feed.now);
  feed.inbox.set_handlers({{"a"}, false, false}, feed.now);
  feed.read({"x"});
  feed.now += 2.0;
  feed.read({});
  EXPECT_EQ(feed.inbox.counts().drops.unhandled, 1u);
  feed.inbox.set_handlers(Wishes::all(), feed.now);
  EXPECT_EQ(feed.take(), Routes{});
}

TEST(Inbox, AReaderConsumesAndAHandlerObserves) {
  Feed feed;
  feed.inbox.set_handlers({{"a"}, false, false}, 100.0);
  const auto reader = feed.inbox.open_reader(Wishes::all());
  feed.read({"a", "b"});
  EXPECT_EQ(feed.take(), Routes{"a"});
  EXPECT_EQ(feed.take(reader), (Routes{"a", "b"}));
}

TEST(Inbox, AtMostOneReaderAndTheOneThatNamesTheRouteFirst) {
  Feed feed;
  const auto all = feed.inbox.open_reader(Wishes::all());
  const auto named = feed.inbox.open_reader({{"a"}, false, false});
  feed.read({"a", "b"});
  EXPECT_EQ(feed.take(named), Routes{"a"});
  EXPECT_EQ(feed.take(all), Routes{"b"});
}

TEST(Inbox, WhatAClosedReaderHadNotReadGoesToTheNext) {
  Feed feed;
  const auto first = feed.inbox.open_reader(Wishes::all());
  feed.read({"a", "b", "c"});
  EXPECT_EQ(feed.take(first, 1), Routes{"a"});
  feed.inbox.close_reader(first, feed.now);
  const auto second = feed.inbox.open_reader(Wishes::all());
  EXPECT_EQ(feed.take(second), (Routes{"b", "c"}));
}

TEST(Inbox, WhatHandlersHadGoesFromAClosedReaderToReadersOnly) {
  Feed feed;
  feed.inbox.set_handlers({{"a"}, false, false}, 100.0);
  const auto first = feed.inbox.open_reader(Wishes::all());
  feed.read({"a", "b", "a", "b"});
  EXPECT_EQ(feed.take(), (Routes{"a", "a"}));
  EXPECT_EQ(feed.take(first, 1), Routes{"a"});
  feed.inbox.close_reader(first, feed.now);
  EXPECT_EQ(feed.take(), Routes{});
  feed.inbox.set_handlers({{"a", "b"}, false, false}, 100.0);
  EXPECT_EQ(feed.take(), (Routes{"b", "b"}));
  EXPECT_EQ(feed.take(feed.inbox.open_reader(Wishes::all())), Routes{"a"});
}

TEST(Inbox, WhatHandlersHadIsNoLossWhenNoReaderComes) {
  Feed feed;
  feed.inbox.first_open(feed.now);
  feed.inbox.set_handlers({{"a"}, false, false}, feed.now);
  const auto reader = feed.inbox.open_reader(Wishes::all());
  feed.read(Routes(1500, "a"));
  feed.inbox.close_reader(reader, feed.now);
  feed.now += 2.0;
  feed.read({});
  const auto counts = feed.inbox.counts();
  EXPECT_EQ(counts.drops.unclaimed, 0u);
  EXPECT_EQ(counts.drops.unhandled, 0u);
  EXPECT_EQ(feed.take(feed.inbox.open_reader(Wishes::all())), Routes{});
}

TEST(Inbox, PausesWhenFullAndGoesOnWhenHalfIsFree) {
  InboxLimits limits;
  limits.messages = 4;
  Feed feed(limits);
  feed.inbox.set_handlers(Wishes::all(), 100.0);
  EXPECT_FALSE(feed.read({"a", "a"}));
  EXPECT_TRUE(feed.read({"a", "a", "a"}));  // checked after the push: nothing of one read is refused
  feed.take(Inbox::handlers_lane, 1);
  EXPECT_FALSE(feed.room);
  feed.take(Inbox::handlers_lane, 2);
  EXPECT_TRUE(feed.room);
  EXPECT_EQ(feed.take().size(), 2u);
}

TEST(Inbox, UnreadMessagesGoInsteadOfPausingAClientThatHasHandlers) {
  InboxLimits limits;
  limits.messages = 4;
  Feed feed(limits);
  feed.inbox.set_handlers({{"h"}, false, false}, 100.0);
  const auto reader = feed.inbox.open_reader({{"r"}, false, false});
  EXPECT_FALSE(feed.read(Routes(10, "r")));
  EXPECT_EQ(feed.inbox.counts().drops.unread, 6u);
  EXPECT_EQ(feed.take(reader).size(), 4u);
}

TEST(Inbox, AnUnreadableTextIsJudgedWhoeverWantsIt) {
  Feed feed;
  feed.inbox.set_handlers({{"a"}, false, false}, 100.0);
  const auto reader = feed.inbox.open_reader(Wishes::all());
  feed.inbox.begin(100.0);
  feed.inbox.add_unreadable(json::Reader::append_text(feed.inbox.tape(), "{"));
  feed.inbox.publish(0);
  EXPECT_EQ(feed.take().size(), 1u);
  EXPECT_EQ(feed.take(reader).size(), 1u);
}

TEST(Inbox, GarbageThatNobodyTakesNeverFillsIt) {
  InboxLimits limits;
  limits.messages = 50;
  Feed feed(limits);
  for (int count = 0; count < 500; ++count) {
    feed.inbox.begin(100.0);
    feed.inbox.add_unreadable(json::Reader::append_text(feed.inbox.tape(), "{"));
    EXPECT_FALSE(feed.inbox.publish(0));
  }
  EXPECT_EQ(feed.inbox.counts().drops.decode, 475u);
  EXPECT_EQ(feed.inbox.counts().messages, 25u);
}

TEST(Inbox, OneReadWakesEveryQueueThatGotSomething) {
  Feed feed;
  feed.inbox.set_handlers({{"a"}, false, false}, 100.0);
  const std::vector<std::uint64_t> lanes = {Inbox::handlers_lane,
                                            feed.inbox.open_reader({{"b"}, false, false}),
                                            feed.inbox.open_reader({{"c"}, false, false})};
  for (int round = 0; round < 50; ++round) {
    std::vector<std::thread> sleepers;
    std::atomic<int> woken{0};
    for (const std::uint64_t lane : lanes) {
      sleepers.emplace_back([&, lane] {
        const client::Inside inside;
        std::vector<Item> items;
        std::vector<Item> back;
        feed.inbox.take(lane, 10, items, std::nullopt);
        if (items.size() == 1) ++woken;
        feed.inbox.done(lane, items, back);
      });
    }
    if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    feed.read({"a", "b", "c"});
    for (auto& sleeper : sleepers) sleeper.join();
    EXPECT_EQ(woken, 3);
  }
}

TEST(Inbox, OneThreadFillsAndOneDrainsWithoutLossAtTheLimit) {
  InboxLimits limits;
  limits.messages = 100;
  Feed feed(limits);
  feed.inbox.set_handlers(Wishes::all(), 100.0);
  constexpr std::size_t total = 20000;
  std::size_t seen = 0;
  std::thread consumer([&] {
    const client::Inside inside;
    std::vector<Item> items;
    std::vector<Item> back;
    while (seen < total) {
      feed.inbox.take(Inbox::handlers_lane, 7, items, std::nullopt);
      for (const Item& item : items) {
        EXPECT_EQ(item.route_text(), std::to_string(seen));
        ++seen;
      }
      feed.inbox.done(Inbox::handlers_lane, items, back);
    }
  });
  for (std::size_t sent = 0; sent < total;) {
    Routes types;
    for (int count = 0; count < 5; ++count) types.push_back(std::to_string(sent++));
    feed.read(types);
  }
  consumer.join();
  EXPECT_EQ(seen, total);
  EXPECT_EQ(feed.inbox.counts().handled, total);
}

}  // namespace
