// Threads of Python look at what waits while the I/O thread adds to the same slab: for the sanitizers.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "client/gate.hpp"
#include "client/inbox.hpp"
#include "json/reader.hpp"

namespace {

using namespace fastws;
using client::Inbox;
using client::Item;
using client::Wishes;

/// Adds messages as the I/O thread does, while another thread does as `user` says again and again.
void race(Inbox& inbox, const std::function<void(double)>& user) {
  std::atomic<bool> stop{false};
  std::thread other([&] {
    const client::Inside inside;
    for (double now = 1.0; !stop; now += 1e-4) user(now);
  });
  inbox.first_open(1.0);
  for (int read = 0; read < 1500; ++read) {
    inbox.begin(1.0 + read * 1e-3);
    for (int key = 0; key < 8; ++key) {
      const std::string text =
          R"({"type":"tick","k":")" + std::to_string(key) + R"(","data":")" + std::string(3000, 'x') + "\"}";
      inbox.add(Item::Kind::json, json::Reader::append_text(inbox.tape(), text), true, "tick", text);
    }
    inbox.publish(0);
    if (read % 8 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
  stop = true;
  other.join();
}

TEST(InboxRace, HandlersComeAndGo) {
  client::InboxLimits limits;
  limits.settle = 1e9;
  Inbox inbox(limits);
  race(inbox, [&](double now) { inbox.set_handlers({{"other"}, false, false}, now); });
  EXPECT_GT(inbox.counts().drops.unclaimed, 0u);
}

/// A reader that gives back what it fetched, into a queue that loses or replaces some of it.
void give_back(client::Policy::Kind kind, std::size_t messages) {
  client::Overflow overflow;
  overflow.others.kind = kind;
  overflow.others.key = "k";
  client::InboxLimits limits;
  limits.messages = messages;
  Inbox inbox(limits, overflow);
  const std::uint64_t reader = inbox.open_reader({{"tick"}, false, false});
  race(inbox, [&](double now) {
    std::vector<Item> items;
    std::vector<Item> none;
    if (inbox.take(reader, 16, items, 0.0) != Inbox::Taken::items) return;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
    inbox.done(reader, none, items, now);
    items.clear();
    if (inbox.take(reader, 1, items, 0.0) == Inbox::Taken::items) inbox.done(reader, items, none, now);
  });
  const auto drops = inbox.counts().drops;
  EXPECT_GT(drops.overflow + drops.conflated, 0u);
}

TEST(InboxRace, GivenBackToAQueueThatDrops) { give_back(client::Policy::Kind::drop_newest, 40); }
TEST(InboxRace, GivenBackToAQueueThatKeepsTheLatest) { give_back(client::Policy::Kind::latest, 100000); }

}  // namespace
