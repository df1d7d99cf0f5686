// The inbox in the client's life: what the end of one leaves, and notices (reconnect-spec R2, R13).
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

#include "client_inbox_rig.hpp"

namespace {

using namespace fastws;
using client::Inbox;
using client::InboxLimits;
using client::Item;
using client::Notice;
using client::Wishes;
using client::testing::Feed;
using client::testing::Routes;

TEST(Inbox, ClosingALifeDropsMessagesAndKeepsNotices) {
  Feed feed;
  feed.inbox.set_dispatching(true);
  feed.inbox.set_handlers(Wishes::all(), 100.0);
  feed.read({"a"});
  auto notice = std::make_shared<Notice>();
  notice->event.kind = policy::Event::Kind::disconnect;
  feed.inbox.notify(notice);
  feed.inbox.end_life(1);
  EXPECT_EQ(feed.take(), Routes{"!2"});
  EXPECT_EQ(feed.inbox.counts().drops.closed, 1u);
  feed.read({"b"});  // begun in the old life
  EXPECT_EQ(feed.take(), Routes{});
  feed.life = 1;
  feed.read({"c"});
  EXPECT_EQ(feed.take(), Routes{"c"});
}

TEST(Inbox, WhatWasTakenBeforeCloseAndGivenBackIsDropped) {
  Feed feed;
  feed.inbox.set_handlers(Wishes::all(), 100.0);
  feed.read({"a", "b"});
  const client::Inside inside;
  std::vector<Item> items;
  std::vector<Item> worked;
  feed.inbox.take(Inbox::handlers_lane, 10, items, 0.0);
  ASSERT_EQ(items.size(), 2u);
  feed.inbox.end_life(1);
  feed.inbox.done(Inbox::handlers_lane, worked, items);
  EXPECT_EQ(feed.take(), Routes{});
  EXPECT_EQ(feed.inbox.counts().messages, 0u);
  EXPECT_EQ(feed.inbox.counts().bytes, 0u);
}

TEST(Inbox, WhileClosingWhatFindsNoRoomIsDroppedAndCounted) {
  InboxLimits limits;
  limits.messages = 3;
  Feed feed(limits);
  feed.inbox.set_handlers({{"a"}, false, false}, 100.0);
  EXPECT_FALSE(feed.read({"a", "a"}));
  feed.closing = true;
  feed.read({"a", "a", "a"});
  feed.read({"a"});
  EXPECT_EQ(feed.inbox.counts().messages, 3u);
  EXPECT_EQ(feed.inbox.counts().drops.closed, 3u);
  EXPECT_EQ(feed.take().size(), 3u);
}

TEST(Inbox, WhatIsOfNoLifeIsGivenToNobody) {
  Feed feed;
  feed.inbox.set_handlers(Wishes::all(), 100.0);
  feed.life = Inbox::no_life;
  feed.read({"a", "b"});
  EXPECT_EQ(feed.take(), Routes{});
  EXPECT_EQ(feed.inbox.counts().messages, 0u);
  EXPECT_EQ(feed.inbox.counts().drops.closed, 2u);
}

TEST(Inbox, ANoticeWaitsUntilItIsComplete) {
  Feed feed;
  feed.inbox.set_handlers(Wishes::all(), 100.0);
  auto notice = std::make_shared<Notice>();
  notice->event.kind = policy::Event::Kind::disconnect;
  notice->ready = false;
  feed.inbox.notify(notice);
  feed.read({"a"});
  EXPECT_EQ(feed.take(), Routes{});
  feed.inbox.complete(*notice, 3, 30);
  EXPECT_EQ(notice->event.unsent_messages, 3u);
  EXPECT_EQ(feed.take(), (Routes{"!2", "a"}));
}

TEST(Inbox, WithoutADispatcherOnlyTheNewestNoticesStay) {
  Feed feed;
  for (int count = 0; count < 1000; ++count) feed.inbox.notify(std::make_shared<Notice>());
  EXPECT_EQ(feed.take(Inbox::handlers_lane, 5000).size(), 256u);
}

TEST(Inbox, WithoutADispatcherNoticesGoAndClaimedMessagesStay) {
  Feed feed;
  feed.read(Routes(400, "a"));
  feed.inbox.set_handlers({{"a"}, false, false}, 100.0);
  for (int count = 0; count < 300; ++count) feed.inbox.notify(std::make_shared<Notice>());
  feed.read({"a"});
  const auto got = feed.take(Inbox::handlers_lane, 5000);
  EXPECT_EQ(std::count(got.begin(), got.end(), "a"), 401);
  EXPECT_EQ(got.size(), 401u + Inbox::kept_notices);
}

TEST(Inbox, DestroyWakesASleeper) {
  Feed feed;
  Inbox::Taken taken = Inbox::Taken::items;
  std::thread sleeper([&] {
    const client::Inside inside;
    std::vector<Item> items;
    taken = feed.inbox.take(Inbox::handlers_lane, 1, items, std::nullopt);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  feed.inbox.destroy();
  sleeper.join();
  EXPECT_EQ(taken, Inbox::Taken::over);
}

}  // namespace
