// The bells of an event loop: how often they wake it, that nothing is lost, and that a closed one is left alone.
#include "client/bell.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/gate.hpp"
#include "client/inbox.hpp"
#include "json/reader.hpp"

namespace {

using namespace fastws;
using client::Bell;
using client::Inbox;
using client::Item;
using client::Notice;
using client::Wakeup;

bool readable(int descriptor, int milliseconds = 0) {
  pollfd one{descriptor, POLLIN, 0};
  return ::poll(&one, 1, milliseconds) == 1;
}

using Numbers = std::vector<std::uint64_t>;

TEST(Bell, IsNotHeardBeforeSomebodyOpensIt) {
  Bell bell;
  bell.ring();
  const auto wakeup = Wakeup::make();
  ASSERT_NE(wakeup, nullptr);
  bell.open(wakeup, 7);
  EXPECT_FALSE(readable(wakeup->descriptor()));
  bell.ring();
  EXPECT_TRUE(readable(wakeup->descriptor()));
  EXPECT_EQ(wakeup->answer(), Numbers{7});
  EXPECT_FALSE(readable(wakeup->descriptor()));
}

TEST(Wakeup, ItsDescriptorClosesWithTheLastWhoUsesIt) {
  Bell bell;
  auto wakeup = Wakeup::make();
  const int descriptor = wakeup->descriptor();
  EXPECT_NE(::fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
  bell.open(std::move(wakeup), 1);
  bell.ring();
  EXPECT_TRUE(readable(descriptor)) << "the bell keeps it";
  bell.close();
  EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1);
}

TEST(Bell, WakesOnceUntilItIsQuiet) {
  Bell bell;
  const auto wakeup = Wakeup::make();
  bell.open(wakeup, 1);
  for (int count = 0; count < 1000; ++count) bell.ring();
  EXPECT_EQ(wakeup->answer(), Numbers{1});
  bell.ring();
  EXPECT_FALSE(readable(wakeup->descriptor())) << "nobody said that he looks again";
  EXPECT_EQ(wakeup->answer(), Numbers{});
  bell.quiet();
  bell.ring();
  EXPECT_TRUE(readable(wakeup->descriptor()));
  EXPECT_EQ(wakeup->answer(), Numbers{1});
}

TEST(Wakeup, OfManyBellsOneWritesAndAllAreAnswered) {
  const auto wakeup = Wakeup::make();
  std::vector<Bell> bells(5);
  for (std::size_t number = 0; number < bells.size(); ++number) bells[number].open(wakeup, number);
  for (const std::size_t number : {3, 0, 3, 4}) bells[number].ring();
  std::uint64_t rings = 0;
  ASSERT_EQ(::read(wakeup->descriptor(), &rings, sizeof rings), static_cast<ssize_t>(sizeof rings));
  EXPECT_EQ(rings, 1u);
  EXPECT_EQ(wakeup->answer(), (Numbers{3, 0, 4}));
  bells[3].ring();
  EXPECT_FALSE(readable(wakeup->descriptor()));
  bells[1].ring();
  EXPECT_TRUE(readable(wakeup->descriptor()));
  EXPECT_EQ(wakeup->answer(), Numbers{1});
}

TEST(Bell, AClosedOneWakesNobody) {
  Bell bell;
  const auto first = Wakeup::make();
  bell.open(first, 1);
  bell.close();
  bell.ring();
  EXPECT_FALSE(readable(first->descriptor()));
  const auto second = Wakeup::make();
  bell.open(second, 2);
  bell.ring();
  EXPECT_FALSE(readable(first->descriptor()));
  EXPECT_EQ(second->answer(), Numbers{2});
}

TEST(Bell, NoRingIsLostBetweenThreads) {
  const auto wakeup = Wakeup::make();
  constexpr int last = 20000;
  struct One {
    Bell bell;
    std::atomic<int> told{0};
    int seen = 0;
    std::thread ringer;
  };
  std::vector<One> all(3);
  for (std::size_t number = 0; number < all.size(); ++number) {
    One& one = all[number];
    one.bell.open(wakeup, number);
    one.ringer = std::thread([&one] {
      for (int count = 1; count <= last; ++count) {
        one.told.store(count);
        one.bell.ring();
      }
    });
  }
  const auto done = [&] {
    return std::all_of(all.begin(), all.end(), [](const One& one) { return one.seen == last; });
  };
  bool woken = true;
  while (woken && !done()) {
    woken = readable(wakeup->descriptor(), 10000);
    for (const std::uint64_t number : wakeup->answer()) {
      all[number].bell.quiet();
      all[number].seen = all[number].told.load();
    }
  }
  for (One& one : all) {
    one.ringer.join();
    EXPECT_TRUE(woken) << "asleep at " << one.seen << " of " << one.told.load();
  }
}

/// An inbox with a bell, and a consumer that looks without sleeping.
struct Watched {
  explicit Watched(client::InboxLimits limits = {}) : inbox(limits, client::Overflow{}, &bell) {
    bell.open(wakeup, 1);
  }

  void read(const std::vector<std::string>& types) {
    inbox.begin(100.0);
    for (const auto& type : types) {
      const std::string text = R"({"type":")" + type + R"("})";
      inbox.add(Item::Kind::json, reader.append(inbox.tape(), text), true, type, text);
    }
    inbox.publish(0);
  }

  std::size_t take(std::uint64_t lane = Inbox::handlers_lane, std::size_t limit = 1000) {
    const client::Inside inside;
    std::vector<Item> items;
    std::vector<Item> back;
    inbox.take(lane, limit, items, 0.0);
    const std::size_t size = items.size();
    inbox.done(lane, items, back);
    return size;
  }

  bool rung() {
    const bool was = !wakeup->answer().empty();
    bell.quiet();
    return was;
  }

  std::shared_ptr<Wakeup> wakeup = Wakeup::make();
  Bell bell;
  Inbox inbox;
  json::Reader reader;
};

TEST(Bell, RingsForAQueueThatWasFoundEmptyAndNotWhileItIsDrained) {
  Watched one;
  one.inbox.set_handlers({{"a"}, false, false}, 100.0);
  one.read({"a"});
  EXPECT_FALSE(one.rung()) << "nobody has looked yet";
  EXPECT_EQ(one.take(), 1u);
  one.read({"a", "a"});
  EXPECT_FALSE(one.rung()) << "whoever drains it finds them";
  EXPECT_EQ(one.take(Inbox::handlers_lane, 1), 1u);
  EXPECT_EQ(one.take(Inbox::handlers_lane, 1), 1u);
  EXPECT_EQ(one.take(), 0u);
  one.read({"a", "a", "a"});
  EXPECT_TRUE(one.rung());
  one.read({"a"});
  EXPECT_FALSE(one.rung()) << "one wake-up for all that came meanwhile";
  EXPECT_EQ(one.take(), 4u);
}

TEST(Bell, RingsForWhoLookedAndFoundNothing) {
  Watched one;
  one.inbox.set_handlers({{"a"}, false, false}, 100.0);
  std::vector<Item> items;
  std::vector<Item> worked;
  bool room = false;
  const auto look = [&] { return one.inbox.look(Inbox::handlers_lane, 10, items, worked, room); };
  EXPECT_EQ(look(), Inbox::Taken::nothing);
  one.read({"a", "a"});
  EXPECT_TRUE(one.rung());
  EXPECT_EQ(look(), Inbox::Taken::items);
  ASSERT_EQ(items.size(), 2u);
  one.read({"a"});
  EXPECT_FALSE(one.rung()) << "it looks again before it waits";
  worked = std::move(items);
  items.clear();
  EXPECT_EQ(one.inbox.counts().handled, 0u);
  EXPECT_EQ(look(), Inbox::Taken::items);
  EXPECT_TRUE(worked.empty()) << "what was worked off is given back on the way";
  EXPECT_EQ(one.inbox.counts().handled, 2u);
  worked = std::move(items);
  items.clear();
  EXPECT_FALSE(room);
  EXPECT_EQ(look(), Inbox::Taken::nothing);
  EXPECT_EQ(one.inbox.counts().messages, 0u);
  one.inbox.destroy();
  EXPECT_EQ(look(), Inbox::Taken::over);
}

TEST(Bell, WhoLooksAfterAFullInboxMakesRoom) {
  client::InboxLimits limits;
  limits.messages = 2;
  Watched one(limits);
  one.inbox.set_handlers({{"a"}, false, false}, 100.0);
  one.read({"a", "a", "a"});
  std::vector<Item> items;
  std::vector<Item> worked;
  bool room = true;
  EXPECT_EQ(one.inbox.look(Inbox::handlers_lane, 10, items, worked, room), Inbox::Taken::items);
  EXPECT_FALSE(room) << "it has them in hand";
  EXPECT_EQ(one.inbox.look(Inbox::handlers_lane, 10, worked, items, room), Inbox::Taken::nothing);
  EXPECT_TRUE(room);
}

TEST(Bell, DoesNotRingForWhatNobodyWants) {
  Watched one;
  one.inbox.first_open(1.0);
  one.inbox.set_handlers({{"a"}, false, false}, 1.0);
  EXPECT_EQ(one.take(), 0u);
  one.read({"b", "b"});
  EXPECT_FALSE(one.rung());
}

TEST(Bell, RingsForTheQueueThatGotSomethingOnly) {
  Watched one;
  one.inbox.set_handlers({{"a"}, false, false}, 100.0);
  const auto reader = one.inbox.open_reader({{"b"}, false, false});
  EXPECT_EQ(one.take(), 0u);
  one.read({"b"});
  EXPECT_FALSE(one.rung()) << "the reader has not looked yet";
  EXPECT_EQ(one.take(reader), 1u);
  EXPECT_EQ(one.take(reader), 0u);
  one.read({"b"});
  EXPECT_TRUE(one.rung());
}

TEST(Bell, RingsForANoticeAndForOneThatCanBeTakenAtLast) {
  Watched one;
  EXPECT_EQ(one.take(), 0u);
  auto notice = std::make_shared<Notice>();
  notice->ready = false;
  one.inbox.notify(notice);
  one.rung();
  EXPECT_FALSE(one.inbox.drained());
  EXPECT_EQ(one.take(), 0u);
  one.inbox.complete(*notice, 0, 0);
  EXPECT_TRUE(one.rung());
  EXPECT_EQ(one.take(), 1u);
  EXPECT_TRUE(one.inbox.drained());
}

TEST(Bell, RingsForALateHandlersMessages) {
  Watched one;
  one.read({"a"});
  EXPECT_EQ(one.take(), 0u);
  one.inbox.set_handlers({{"a"}, false, false}, 100.0);
  EXPECT_TRUE(one.rung());
  EXPECT_EQ(one.take(), 1u);
}

TEST(Bell, ALookCutShortByANudgeCountsAsALook) {
  Watched one;
  one.inbox.set_handlers({{"a"}, false, false}, 100.0);
  one.inbox.nudge();
  EXPECT_EQ(one.take(), 0u);
  one.read({"a"});
  EXPECT_TRUE(one.rung());
}

}  // namespace