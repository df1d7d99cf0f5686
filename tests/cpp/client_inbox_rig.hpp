// What the inbox's tests share: an inbox, and the little its I/O thread and its consumers do with it.
#pragma once

#include <string>
#include <vector>

#include "client/gate.hpp"
#include "client/inbox.hpp"
#include "json/reader.hpp"

namespace fastws::client::testing {

using Routes = std::vector<std::string>;

struct Feed {
  explicit Feed(InboxLimits limits = {}) : inbox(limits) {}

  bool read(const std::vector<std::string>& types) {
    inbox.begin(now);
    for (const auto& type : types) {
      const std::string text = R"({"type":")" + type + R"("})";
      if (inbox.wanted(true, type)) {
        inbox.add(Item::Kind::json, reader.append(inbox.tape(), text), true, type, text);
      } else if (inbox.undecided()) {
        inbox.add(Item::Kind::json, json::Reader::append_text(inbox.tape(), text), true, type, text);
      } else {
        inbox.count_unhandled(type);
      }
    }
    return inbox.publish(life, closing);
  }

  /// What a lane gives now: routes, or "!" and the number of a notice's event kind.
  std::vector<std::string> take(std::uint64_t lane = Inbox::handlers_lane, std::size_t limit = 1000) {
    const Inside inside;
    std::vector<Item> items;
    std::vector<Item> back;
    inbox.take(lane, limit, items, 0.0);
    std::vector<std::string> routes;
    for (const Item& item : items) {
      routes.push_back(item.notice ? "!" + std::to_string(static_cast<int>(item.notice->event.kind))
                                   : std::string(item.route_text()));
    }
    room = inbox.done(lane, items, back);
    return routes;
  }

  Inbox inbox;
  json::Reader reader;
  double now = 100.0;
  std::uint64_t life = 0;
  bool room = false;
  bool closing = false;
};

}  // namespace fastws::client::testing
