// Texts that are parsed before their route is known, because those before them were all wanted.
#include <gtest/gtest.h>

#include <string>

#include "client_server.hpp"
#include "client_subject.hpp"

namespace {

using namespace fastws;
using client::testing::options_for;
using client::testing::Peer;
using client::testing::Server;
using client::testing::Subject;

TEST(Guessing, NothingIsKeptOfWhatWasParsedInVain) {
  constexpr std::size_t rounds = 40;
  constexpr std::size_t trades = 20;
  std::string feed;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t count = 0; count < trades; ++count) feed += engine::peer::text(R"({"type":"trade"})");
    feed += engine::peer::text(R"({"type":"quote","pad":")" + std::string(3000, 'x') + "\"}");
  }
  Server server([&feed](const Peer& peer) {
    if (!peer.shake_hands() || peer.read(60000).empty()) return;
    peer.write(feed);
    while (!peer.read(60000).empty()) {
    }
  });
  client::Options options = options_for();
  options.settle = 0.0;
  Subject subject(server.url(), options);
  client::Inbox& inbox = subject.client->inbox();
  inbox.set_handlers(client::Wishes({"trade"}, false, false), net::monotonic_now());
  subject.client->connect();
  ASSERT_TRUE(subject.reaches(policy::State::open));
  while (subject.next() != "connect") {
  }
  ASSERT_EQ(subject.send("go"), client::Client::Sent::accepted);
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

}  // namespace
