// Texts that are parsed before their route is known, because those before them were all wanted.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client_server.hpp"
#include "client_subject.hpp"

namespace {

using namespace fastws;
using client::testing::options_for;
using client::testing::Peer;
using client::testing::Server;
using client::testing::Subject;

/// A server that sends the frames once it is told to go.
Server server_of(const std::string& feed) {
  return Server([&feed](const Peer& peer) {
    if (!peer.shake_hands() || peer.read(60000).empty()) return;
    peer.write(feed);
    while (!peer.read(60000).empty()) {
    }
  });
}

/// Connects a client whose handlers want one route, and lets the server go.
void begin(Subject& subject, const std::string& route) {
  subject.client->inbox().set_handlers(client::Wishes({route}, false, false), net::monotonic_now());
  subject.client->connect();
  ASSERT_TRUE(subject.reaches(policy::State::open));
  while (subject.next() != "connect") {
  }
  ASSERT_EQ(subject.send("go"), client::Client::Sent::accepted);
}

client::Options options_of() {
  client::Options options = options_for();
  options.settle = 0.0;
  return options;
}

TEST(Guessing, NothingIsKeptOfWhatWasParsedInVain) {
  constexpr std::size_t rounds = 40;
  constexpr std::size_t trades = 20;
  std::string feed;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t count = 0; count < trades; ++count) feed += engine::peer::text(R"({"type":"trade"})");
    feed += engine::peer::text(R"({"type":"quote","pad":")" + std::string(3000, 'x') + "\"}");
  }
  Server server = server_of(feed);
  Subject subject(server.url(), options_of());
  begin(subject, "trade");
  const client::Inbox& inbox = subject.client->inbox();
  const double until = net::monotonic_now() + 10.0;
  client::InboxCounts counts;
  do {
    counts = inbox.counts();
  } while ((counts.drops.unhandled < rounds || counts.messages < rounds * trades) &&
           net::monotonic_now() < until);
  EXPECT_EQ(counts.drops.unhandled, rounds);
  EXPECT_EQ(counts.messages, rounds * trades);
  EXPECT_LE(counts.held, counts.bytes);  // of the messages that wait, all in all
}

TEST(Guessing, ARouteIsKeptThoughTheTextItStandsInMoves) {
  // Longer than the rest of its text: what grows by the one may well have to grow again by the other.
  constexpr std::size_t texts = 300;
  const std::string route(3000, 'r');
  const std::string frame =
      engine::peer::text(R"({"pad":")" + std::string(500, 'x') + R"(","type":")" + route + "\"}");
  std::string feed;
  for (std::size_t count = 0; count < texts; ++count) feed += frame;
  Server server = server_of(feed);
  Subject subject(server.url(), options_of());
  begin(subject, route);
  client::Inbox& inbox = subject.client->inbox();
  std::size_t kept = 0;
  std::vector<client::Item> items;
  std::vector<client::Item> none;
  while (kept < texts) {
    ASSERT_EQ(inbox.take(client::Inbox::handlers_lane, 100, items, net::monotonic_now() + 10.0),
              client::Inbox::Taken::items);
    for (const client::Item& item : items) kept += item.route_text() == route ? 1 : 0;
    inbox.done(client::Inbox::handlers_lane, items, none);
    items.clear();
  }
}

}  // namespace
