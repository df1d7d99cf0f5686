// An inbox with policies, and the little its I/O thread does with it, for the tests of what a full one loses.
#pragma once

#include <string>
#include <vector>

#include "client/gate.hpp"
#include "client/inbox.hpp"
#include "json/reader.hpp"

namespace fastws::inbox_test {

using client::Inbox;
using client::InboxLimits;
using client::Item;
using client::Overflow;
using client::Policy;
using client::Wishes;
using Kind = Policy::Kind;
using Texts = std::vector<std::string>;

/// A message of one of four routes: p pauses, o and n drop the oldest and the newest, l is Latest by `key`.
struct Sent {
  char route = 'p';
  std::string key;
  int number = 0;

  [[nodiscard]] std::string text() const {
    std::string text = R"({"type":")" + std::string(1, route) + R"(",)";
    if (!key.empty()) text += R"("k":")" + key + R"(",)";
    return text + R"("n":)" + std::to_string(number) + "}";
  }
};

inline Overflow policies() {
  Overflow overflow;
  overflow.by_route["o"] = {Kind::drop_oldest, ""};
  overflow.by_route["n"] = {Kind::drop_newest, ""};
  overflow.by_route["l"] = {Kind::latest, "k"};
  return overflow;
}

inline InboxLimits of(std::size_t messages) {
  InboxLimits limits;
  limits.messages = messages;
  return limits;
}

struct Feed {
  explicit Feed(InboxLimits limits, Overflow overflow = policies())
      : inbox(limits, std::move(overflow), nullptr, [this] { ++bursts_begun; }) {}

  bool read(const std::vector<Sent>& messages) {
    inbox.begin(now += 0.001);
    for (const Sent& sent : messages) {
      const std::string route(1, sent.route);
      inbox.add(Item::Kind::text, json::Reader::append_text(inbox.tape(), sent.text()), true, route,
                sent.text());
    }
    return inbox.publish(0);
  }

  void take(std::uint64_t lane, std::size_t limit, std::vector<Item>& items) {
    const client::Inside inside;
    inbox.take(lane, limit, items, 0.0);
  }

  static std::string text_of(const Item& item) {
    return {item.slab->tape.text.data() + item.text, item.text_size};
  }

  /// The texts that a lane gives now, worked off.
  Texts texts(std::uint64_t lane = Inbox::handlers_lane) {
    std::vector<Item> items;
    std::vector<Item> back;
    take(lane, 1000000, items);
    Texts texts;
    for (const Item& item : items) {
      if (item.slab != nullptr) texts.push_back(text_of(item));
    }
    room = inbox.done(lane, items, back);
    return texts;
  }

  int bursts_begun = 0;
  Inbox inbox;
  double now = 100.0;
  bool room = false;
};

inline Texts texts(const std::vector<Sent>& messages) {
  Texts texts;
  for (const Sent& sent : messages) texts.push_back(sent.text());
  return texts;
}

inline std::vector<Sent> run(char route, int from, int to, const std::string& key = "") {
  std::vector<Sent> messages;
  for (int number = from; number < to; ++number) messages.push_back({route, key, number});
  return messages;
}

}  // namespace fastws::inbox_test
