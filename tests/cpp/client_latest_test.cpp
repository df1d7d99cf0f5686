// Latest conflates: one unread message for each route and key (api section 4, "Overflow").
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client_inbox_feed.hpp"

namespace {

using namespace fastws;
using namespace fastws::inbox_test;

TEST(Latest, TakesThePlaceOfTheUnreadOneOfItsRouteAndKey) {
  Feed feed(of(100));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  feed.read({{'l', "x", 1}, {'p', "", 2}, {'l', "y", 3}, {'l', "x", 4}});
  feed.read({{'l', "y", 5}, {'p', "x", 6}});
  EXPECT_EQ(feed.inbox.counts().drops.conflated, 2u);
  EXPECT_EQ(feed.inbox.counts().messages, 4u);
  EXPECT_EQ(feed.texts(), texts({{'l', "x", 4}, {'p', "", 2}, {'l', "y", 5}, {'p', "x", 6}}));
  EXPECT_FALSE(feed.inbox.burst_check());  // conflating is what was asked for: no event
  feed.read({{'l', "x", 7}});
  EXPECT_EQ(feed.texts(), texts({{'l', "x", 7}}));
}

TEST(Latest, WithoutTheKeyItPauses) {
  Feed feed(of(2));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  EXPECT_TRUE(feed.read({{'l', "", 1}, {'l', "", 2}, {'l', "", 3}}));
  EXPECT_EQ(feed.inbox.counts().drops.conflated, 0u);
  EXPECT_EQ(feed.texts().size(), 3u);
}

TEST(Latest, AFullInboxOfDistinctKeysPauses) {
  Feed feed(of(2));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  EXPECT_FALSE(feed.read({{'l', "x", 1}, {'l', "x", 2}}));
  EXPECT_TRUE(feed.read({{'l', "y", 3}}));
  EXPECT_EQ(feed.texts(), texts({{'l', "x", 2}, {'l', "y", 3}}));
}

TEST(Latest, WhatComesBackFromAConsumerIsOlderThanWhatCameMeanwhile) {
  Feed feed(of(100));
  feed.inbox.set_handlers(Wishes::all(), 0.0);
  feed.read({{'l', "x", 1}, {'l', "y", 2}, {'p', "", 3}});
  std::vector<Item> hands;
  std::vector<Item> worked;
  feed.take(Inbox::handlers_lane, 2, hands);
  feed.read({{'l', "x", 4}});
  feed.inbox.done(Inbox::handlers_lane, worked, hands);
  EXPECT_EQ(feed.inbox.counts().drops.conflated, 1u);
  EXPECT_EQ(feed.texts(), texts({{'l', "x", 4}, {'l', "y", 2}, {'p', "", 3}}));
}

TEST(Latest, HandlersAndReadersEachHaveTheirOwn) {
  Feed feed(of(100));
  feed.inbox.set_handlers({{"l"}, false, false}, 0.0);
  const auto reader = feed.inbox.open_reader(Wishes::all());
  feed.read({{'l', "x", 1}});
  EXPECT_EQ(feed.texts(), texts({{'l', "x", 1}}));
  feed.read({{'l', "x", 2}});
  EXPECT_EQ(feed.texts(reader), texts({{'l', "x", 2}}));
  EXPECT_EQ(feed.texts(), texts({{'l', "x", 2}}));
}

TEST(Latest, AClaimedMessageIsConflatedInOrder) {
  Feed feed(of(100));
  feed.read({{'l', "x", 1}, {'l', "x", 2}, {'l', "y", 3}});
  feed.inbox.set_handlers(Wishes::all(), feed.now);
  feed.read({{'l', "y", 4}});
  EXPECT_EQ(feed.texts(), texts({{'l', "x", 2}, {'l', "y", 4}}));
}

TEST(Latest, TheKeyIsAStringOrAnInteger) {
  const Policy policy{Kind::latest, "k"};
  const auto identity = [&](const std::string& text) {
    std::string to;
    return client::append_identity(policy, text, to) ? to : "none";
  };
  EXPECT_EQ(identity(R"({"k":"a"})"), "sa");
  EXPECT_EQ(identity(R"({"k" : "\u0061"})"), "sa");
  EXPECT_EQ(identity(R"({"k":"a","k":"b"})"), "sb");
  EXPECT_EQ(identity(R"({"k":""})"), "s");
  EXPECT_EQ(identity(R"({"k":12})"), "i12");
  EXPECT_EQ(identity(R"({"k": -12 , "x":{"k":1}})"), "i-12");
  EXPECT_EQ(identity(R"({"k":-0})"), "i0");
  EXPECT_EQ(identity(R"({"k":123456789012345678901234567890})"), "i123456789012345678901234567890");
  EXPECT_EQ(identity(R"({"k":"12"})"), "s12");
  for (const char* none : {R"({"k":1.5})", R"({"k":1e3})", R"({"k":null})", R"({"k":true})", R"({"k":[1]})",
                           R"({"k":{}})", R"({"j":1})", R"({"x":{"k":"a"}})", R"(["k"])", R"("k")", "", "{",
                           R"({"k":"a","k":null})", R"({"k":-})", R"({"k":})"}) {
    EXPECT_EQ(identity(none), "none") << none;
  }
}

}  // namespace
