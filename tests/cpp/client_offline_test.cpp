// The offline queue: its order, its limits, and the moment at which a connection takes over (reconnect-spec R9).
#include "client/offline.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "client/gate.hpp"
#include "engine_peer.hpp"

namespace {

using namespace fastws;
using client::Offline;
using client::OfflineOptions;
using engine::Opcode;
using Put = Offline::Put;
using Texts = std::vector<std::string>;

OfflineOptions queue(std::size_t messages, std::size_t bytes = 1000,
                     OfflineOptions::Full on_full = OfflineOptions::Full::drop_oldest) {
  OfflineOptions options;
  options.policy = OfflineOptions::Policy::queue;
  options.messages = messages;
  options.bytes = bytes;
  options.on_full = on_full;
  return options;
}

struct Fixture {
  explicit Fixture(const OfflineOptions& options) : offline(options) {}

  Put put(const std::string& text, double now = 0.0) {
    epoch = 0;
    return offline.put(Opcode::text, text, now, epoch);
  }
  void release(std::uint64_t of, double now = 0.0) {
    offline.release(
        of, now, [&] { return of == open; },
        [&](const client::Frames& frames) {
          if (takes == 0) return false;
          --takes;
          for (const auto& frame : engine::peer::frames_in(frames.bytes)) out.push_back(frame.substr(2));
          return true;
        });
  }

  Offline offline;
  std::uint64_t open = 1;
  int takes = 1000;
  Texts out;
  std::uint64_t epoch = 0;
};

TEST(Offline, GivesInOrderAndThenTheConnectionTakesOver) {
  Fixture one(queue(10));
  for (const char* text : {"a", "b", "c"}) EXPECT_EQ(one.put(text), Put::stored);
  EXPECT_EQ(one.offline.counts().messages, 3u);
  one.release(1);
  EXPECT_EQ(one.out, (Texts{"a", "b", "c"}));
  EXPECT_EQ(one.put("d"), Put::direct);
  EXPECT_EQ(one.epoch, 1u);
  EXPECT_EQ(one.offline.counts().messages, 0u);
}

TEST(Offline, ALateWordAboutAnOlderConnectionReleasesNothing) {
  Fixture one(queue(10));
  one.open = 2;
  one.put("a");
  one.release(1);
  EXPECT_EQ(one.out, Texts{});
  EXPECT_EQ(one.put("b"), Put::stored);
  one.release(2);
  one.release(1);
  EXPECT_EQ(one.put("c"), Put::direct);
  EXPECT_EQ(one.epoch, 2u);
}

TEST(Offline, WhatAConnectionDoesNotTakeStaysInOrder) {
  Fixture one(queue(100000, std::size_t{1} << 30));
  Texts all;
  for (int number = 0; number < 10; ++number) {
    all.push_back(std::string(100000, 'x') + std::to_string(number));
    one.put(all.back());
  }
  one.takes = 2;  // and then it is lost
  one.release(1);
  const std::size_t given = one.out.size();
  EXPECT_GT(given, 0u);
  EXPECT_LT(given, 10u);
  EXPECT_EQ(one.put("last"), Put::stored);
  one.takes = 1000;
  one.open = 2;
  one.release(2);
  all.emplace_back("last");
  EXPECT_EQ(one.out, all);
}

TEST(Offline, ALostConnectionTakesNoMoreAndAnotherOnesLossIsNothing) {
  Fixture one(queue(10));
  one.release(1);
  one.offline.lost(7);
  EXPECT_EQ(one.put("a"), Put::direct);
  one.offline.lost(1);
  EXPECT_EQ(one.put("a"), Put::stored);
}

TEST(Offline, DropsTheOldestTheNewestOrRefuses) {
  Fixture oldest(queue(2));
  for (const char* text : {"a", "b", "c"}) EXPECT_EQ(oldest.put(text), Put::stored);
  oldest.release(1);
  EXPECT_EQ(oldest.out, (Texts{"b", "c"}));
  EXPECT_EQ(oldest.offline.counts().dropped, 1u);

  Fixture newest(queue(2, 1000, OfflineOptions::Full::drop_newest));
  newest.put("a");
  newest.put("b");
  EXPECT_EQ(newest.put("c"), Put::dropped);
  newest.release(1);
  EXPECT_EQ(newest.out, (Texts{"a", "b"}));
  EXPECT_EQ(newest.offline.counts().dropped, 1u);

  Fixture refusing(queue(2, 1000, OfflineOptions::Full::raise));
  refusing.put("a");
  refusing.put("b");
  EXPECT_EQ(refusing.put("c"), Put::refused);
  EXPECT_EQ(refusing.offline.counts().dropped, 0u);
  EXPECT_FALSE(refusing.offline.burst_check());
}

TEST(Offline, BytesAreALimitTooAndOneMessageOfAnySizePasses) {
  Fixture one(queue(100, 10));
  EXPECT_EQ(one.put("0123456789abc"), Put::stored);
  EXPECT_EQ(one.put("short"), Put::stored);
  EXPECT_EQ(one.put("short"), Put::stored);
  EXPECT_EQ(one.put("x"), Put::stored);
  EXPECT_EQ(one.offline.counts().bytes, 6u);
  one.release(1);
  EXPECT_EQ(one.out, (Texts{"short", "x"}));
}

TEST(Offline, OldMessagesAreDroppedWhenTheirTimeIsOver) {
  auto options = queue(10);
  options.ttl = 5.0;
  Fixture one(options);
  one.put("old", 0.0);
  one.put("new", 3.0);
  one.release(1, 5.0);
  EXPECT_EQ(one.out, Texts{"new"});
  EXPECT_EQ(one.offline.counts().dropped, 1u);
}

TEST(Offline, ABurstIsToldOnceAfterASecondWithoutADrop) {
  Fixture one(queue(1));
  one.put("a", 10.0);
  EXPECT_FALSE(one.offline.burst_check());
  one.put("b", 10.0);
  one.put("c", 10.5);
  EXPECT_DOUBLE_EQ(*one.offline.burst_check(), 11.5);
  EXPECT_FALSE(one.offline.take_dropped(11.4));
  const auto burst = one.offline.take_dropped(11.5);
  ASSERT_TRUE(burst);
  EXPECT_EQ(burst->count, 2u);
  EXPECT_DOUBLE_EQ(burst->first_at, 10.0);
  EXPECT_DOUBLE_EQ(burst->last_at, 10.5);
  EXPECT_FALSE(one.offline.take_dropped(20.0));
}

TEST(Offline, ClosingClearsItAndNothingIsStoredUntilItIsHeldAgain) {
  Fixture one(queue(10));
  one.put("a");
  one.offline.close(false, 0.0);
  EXPECT_EQ(one.put("b"), Put::dropped);
  EXPECT_EQ(one.offline.counts().dropped, 2u);
  EXPECT_EQ(one.offline.counts().messages, 0u);
  EXPECT_FALSE(one.offline.burst_check());
  one.release(1);
  EXPECT_EQ(one.put("b"), Put::dropped);  // a late release does not open it
  one.offline.hold();
  EXPECT_EQ(one.put("c"), Put::stored);
  one.offline.close(true, 3.0);
  EXPECT_TRUE(one.offline.burst_check());
  one.offline.close(false, 3.5);  // close() after it had given up: nothing is told any more
  EXPECT_FALSE(one.offline.burst_check());
}

TEST(Offline, WhoWaitsForTheStoredIsToldWhetherAllWent) {
  const client::Inside inside;
  using Waited = client::Departures::Waited;
  Fixture one(queue(2));
  one.put("a");
  const auto first = one.offline.watch();
  EXPECT_EQ(one.offline.await_left(*first, 0.0), Waited::not_yet);
  one.put("b");
  one.put("c");  // drops a
  const auto second = one.offline.watch();
  one.release(1);
  EXPECT_EQ(one.offline.await_left(*first, 0.0), Waited::lost);
  EXPECT_EQ(one.offline.await_left(*second, 0.0), Waited::left);
}

TEST(Offline, NoMessageStaysBehindWhenAConnectionTakesOverUnderLoad) {
  constexpr int threads = 3;
  constexpr int each = 3000;
  Fixture one(queue(std::size_t{1} << 20, std::size_t{1} << 30));
  std::mutex wire;
  std::vector<Texts> sent(threads);
  Texts out;
  std::vector<std::thread> senders;
  std::atomic<int> running{threads};
  for (int number = 0; number < threads; ++number) {
    senders.emplace_back([&, number] {
      for (int count = 0; count < each; ++count) {
        const std::string text = std::to_string(number) + "/" + std::to_string(count);
        std::uint64_t epoch = 0;
        if (one.offline.put(Opcode::text, text, 0.0, epoch) == Put::direct) {
          const std::lock_guard<std::mutex> lock(wire);
          out.push_back(text);
        }
      }
      running.fetch_sub(1);
    });
  }
  const auto release = [&] {
    one.offline.release(
        1, 0.0, [] { return true; },
        [&](const client::Frames& frames) {
          const std::lock_guard<std::mutex> lock(wire);
          for (const auto& frame : engine::peer::frames_in(frames.bytes)) out.push_back(frame.substr(2));
          return true;
        });
  };
  while (running.load() != 0) {
    release();
    std::this_thread::yield();
  }
  for (auto& sender : senders) sender.join();
  ASSERT_EQ(out.size(), static_cast<std::size_t>(threads * each));
  std::vector<int> next(threads, 0);
  for (const auto& text : out) {
    const auto number = static_cast<std::size_t>(text[0] - '0');
    EXPECT_EQ(text, std::to_string(number) + "/" + std::to_string(next[number]++));
  }
}

}  // namespace
