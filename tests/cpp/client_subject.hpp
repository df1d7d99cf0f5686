// A composed client under test, and what Python's side would do with it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/client.hpp"
#include "client/gate.hpp"
#include "net/url.hpp"

namespace fastws::client::testing {

inline Options options_for() {
  Options options;
  options.route_by = {"type"};
  options.life.backoff.base = 0.02;
  options.life.backoff.cap = 0.1;
  options.life.close_timeout = 1.0;
  return options;
}

/// A client with a handler for everything, and what Python's side would do with it.
struct Subject {
  explicit Subject(const std::string& url, Options options = options_for())
      : Subject(url, std::make_shared<const Options>(std::move(options))) {}
  Subject(const std::string& url, std::shared_ptr<const Options> options)
      : client(Client::make({net::parse_url(url), {}}, std::move(options), nullptr)) {
    client->inbox().set_dispatching(true);
    client->inbox().set_handlers(Wishes::all(), net::monotonic_now());
  }
  ~Subject() { client->destroy(0.0); }

  [[nodiscard]] bool reaches(policy::State state, double seconds = 10.0) const {
    const Inside inside;
    const double until = net::monotonic_now() + seconds;
    std::uint64_t seen = 0;
    while (client->state() != state) {
      if (net::monotonic_now() >= until) return false;
      seen = client->wait_change(seen, std::min(until, net::monotonic_now() + 0.05));
    }
    return true;
  }

  /// The next thing that is due: an event's name or a text.
  std::string next(double seconds = 10.0) {
    static const char* const names[] = {"connecting",   "connect", "disconnect",
                                        "reconnecting", "error",   "closed"};
    const Inside inside;
    std::vector<Item> items;
    std::vector<Item> back;
    const double until = net::monotonic_now() + seconds;
    while (items.empty()) {
      const auto taken = client->inbox().take(Inbox::handlers_lane, 1, items, until);
      if (taken == Inbox::Taken::over || net::monotonic_now() >= until) break;
    }
    if (items.empty()) return "";
    last = items[0];
    const Item& item = items[0];
    std::string what =
        item.notice ? names[static_cast<int>(item.notice->event.kind)] : std::string(item.route_text());
    if (client->inbox().done(Inbox::handlers_lane, items, back)) client->resume_reading();
    return what;
  }

  Client::Sent send(const std::string& text, std::uint64_t epoch = 0) const {
    const Inside inside;
    return client->send(engine::Opcode::text, text, epoch, net::monotonic_now() + 10.0);
  }

  std::shared_ptr<Client> client;
  Item last;
};

}  // namespace fastws::client::testing
