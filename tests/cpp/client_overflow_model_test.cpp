// The inbox against a model of api section 4 that is nothing but lists: random messages, random consumers, the same
// messages in the same order, the same counts, the same pauses.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "client_inbox_feed.hpp"

namespace {

using namespace fastws;
using namespace fastws::inbox_test;

/// Section 4 in lists: what waits for handlers and for one reader of everything.
struct Model {
  struct Lane {
    std::deque<Sent> waits;
    std::deque<Sent> hands;
  };

  std::size_t limit;
  bool handling;  // message handlers of every route exist
  bool reading;   // a reader of everything exists
  Lane lanes[2] = {};
  std::size_t unread = 0;
  std::size_t overflow = 0;
  std::size_t conflated = 0;
  bool paused = false;

  static bool may_go(const Sent& sent) { return sent.route == 'o' || sent.route == 'n'; }
  [[nodiscard]] bool governed(int lane) const { return lane == 0 || !handling; }
  [[nodiscard]] bool crowded() const {
    const std::size_t waits = lanes[0].waits.size() + lanes[1].waits.size();
    return waits > 1 && waits > limit;
  }
  [[nodiscard]] std::size_t pausing() const {
    std::size_t count = 0;
    for (int lane = 0; lane < 2; ++lane) {
      if (!governed(lane)) continue;
      for (const auto* list : {&lanes[lane].waits, &lanes[lane].hands}) {
        count += static_cast<std::size_t>(
            std::count_if(list->begin(), list->end(), [](const Sent& sent) { return !may_go(sent); }));
      }
    }
    return count;
  }

  std::deque<Sent>::iterator same(std::deque<Sent>& list, const Sent& sent) {
    return std::find_if(list.begin(), list.end(), [&](const Sent& other) {
      return sent.route == 'l' && other.route == 'l' && !sent.key.empty() && other.key == sent.key;
    });
  }

  bool lose(bool oldest, int except) {
    std::deque<Sent>* from = nullptr;
    std::deque<Sent>::iterator victim;
    for (int lane = 0; lane < 2; ++lane) {
      if (!governed(lane)) continue;
      auto& list = lanes[lane].waits;
      for (auto one = list.begin(); one != list.end(); ++one) {
        if (one->route != (oldest ? 'o' : 'n') || one->number == except) continue;
        const bool better =
            from == nullptr || (oldest ? one->number < victim->number : one->number > victim->number);
        if (better) from = &list, victim = one;
      }
    }
    if (from == nullptr) return false;
    from->erase(victim);
    ++overflow;
    return true;
  }

  void make_room(int lane, const Sent& sent, bool news) {
    while (crowded()) {
      if (handling && !lanes[1].waits.empty()) {
        lanes[1].waits.pop_front();
        ++unread;
        continue;
      }
      const bool goes_itself = news && sent.route == 'n' && governed(lane);
      if (!goes_itself && (lose(true, news ? sent.number : -1) || lose(false, news ? sent.number : -1)))
        continue;
      if (news && may_go(sent) && governed(lane)) {
        lanes[lane].waits.pop_back();
        ++overflow;
      }
      return;
    }
  }

  void push(int lane, const Sent& sent) {
    auto& waits = lanes[lane].waits;
    const auto older = same(waits, sent);
    if (older != waits.end()) {
      *older = sent;
      ++conflated;
    } else {
      waits.push_back(sent);
    }
    make_room(lane, sent, true);
  }

  void read(const std::vector<Sent>& messages) {
    for (const Sent& sent : messages) {
      if (reading) push(1, sent);
      if (handling) push(0, sent);
    }
    paused = pausing() >= limit;
  }

  void take(int lane, std::size_t count) {
    auto& one = lanes[lane];
    for (; count > 0 && !one.waits.empty(); --count) {
      one.hands.push_back(one.waits.front());
      one.waits.pop_front();
    }
  }

  /// The last `back` of what is in hand go back unbuilt, the others are worked off.
  void done(int lane, std::size_t back) {
    auto& one = lanes[lane];
    one.hands.erase(one.hands.begin(), one.hands.end() - static_cast<std::ptrdiff_t>(back));
    while (!one.hands.empty()) {
      const Sent sent = one.hands.back();
      one.hands.pop_back();
      const auto newer = same(one.waits, sent);
      Sent kept = sent;
      if (newer != one.waits.end()) {
        kept = *newer;
        one.waits.erase(newer);
        ++conflated;
      }
      one.waits.push_front(kept);
      make_room(lane, kept, false);
    }
    if (paused && pausing() <= limit / 2) paused = false;
  }
};

void compare_with_model(unsigned seed, bool handling, bool reading) {
  std::mt19937 random(seed);
  const auto any = [&](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most)(random);
  };
  const std::size_t limit = 1 + any(12);
  Feed feed(of(limit));
  Model model{limit, handling, reading};
  if (handling) feed.inbox.set_handlers(Wishes::all(), 0.0);
  std::uint64_t numbers[2] = {Inbox::handlers_lane, 0};
  if (reading) numbers[1] = feed.inbox.open_reader(Wishes::all());
  std::vector<Item> hands[2];
  int number = 0;
  for (int step = 0; step < 400; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const int lane = reading && (!handling || any(1) == 1) ? 1 : 0;
    auto& in_hand = hands[lane];
    if (any(2) == 0) {
      std::vector<Sent> messages;
      for (std::size_t count = any(8); count > 0; --count) {
        const char route = "ponl"[any(3)];
        messages.push_back({route, route == 'l' ? Texts{"", "x", "y", "z"}[any(3)] : "", ++number});
      }
      const bool pauses = feed.read(messages);
      model.read(messages);
      EXPECT_EQ(pauses, model.paused);
    } else if (in_hand.empty()) {
      const std::size_t count = 1 + any(5);
      feed.take(numbers[lane], count, in_hand);
      model.take(lane, count);
      Texts given;
      for (const Item& item : in_hand) given.push_back(Feed::text_of(item));
      EXPECT_EQ(given, texts({model.lanes[lane].hands.begin(), model.lanes[lane].hands.end()}));
    } else {
      const std::size_t kept = any(in_hand.size());
      std::vector<Item> worked(in_hand.begin(), in_hand.begin() + static_cast<std::ptrdiff_t>(kept));
      std::vector<Item> back(in_hand.begin() + static_cast<std::ptrdiff_t>(kept), in_hand.end());
      in_hand.clear();
      const bool was_paused = model.paused;
      model.done(lane, back.size());
      EXPECT_EQ(feed.inbox.done(numbers[lane], worked, back), was_paused && !model.paused);
    }
    const auto counts = feed.inbox.counts();
    EXPECT_EQ(counts.drops.unread, model.unread);
    EXPECT_EQ(counts.drops.overflow, model.overflow);
    EXPECT_EQ(counts.drops.conflated, model.conflated);
    std::size_t all = 0;
    for (const auto& one : model.lanes) all += one.waits.size() + one.hands.size();
    EXPECT_EQ(counts.messages, all);
    if (testing::Test::HasFailure()) return;
  }
  for (const int lane : {0, 1}) {
    std::vector<Item> back;
    if (lane == 0 ? handling : reading) feed.inbox.done(numbers[lane], hands[lane], back);
    if (lane == 0 || reading) {
      const Texts left = texts({model.lanes[lane].waits.begin(), model.lanes[lane].waits.end()});
      EXPECT_EQ(feed.texts(numbers[lane]), left);
    }
  }
  EXPECT_EQ(feed.inbox.counts().messages, 0u);
  EXPECT_EQ(feed.inbox.counts().bytes, 0u);
}

TEST(OverflowModel, HandlersAlone) {
  for (unsigned seed = 0; seed < 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    compare_with_model(seed, true, false);
  }
}

TEST(OverflowModel, AReaderAlone) {
  for (unsigned seed = 0; seed < 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    compare_with_model(seed, false, true);
  }
}

TEST(OverflowModel, HandlersAndAReader) {
  for (unsigned seed = 0; seed < 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    compare_with_model(seed, true, true);
  }
}

}  // namespace
