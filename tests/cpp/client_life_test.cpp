// The composed client against a real server, without Python: its life, its order of events, its threads.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "client/client.hpp"
#include "client/gate.hpp"
#include "client_server.hpp"
#include "client_subject.hpp"
#include "net/url.hpp"

namespace {

using namespace fastws;
using client::Client;
using client::Inbox;
using client::Inside;
using client::Item;
using client::testing::options_for;
using client::testing::Peer;
using client::testing::Server;
using client::testing::Subject;
using engine::Opcode;
using policy::State;

TEST(ClientLife, GoesOnWhenAnotherOfTheSameOptionsIsGone) {
  Server server([](const Peer& peer) {
    if (!peer.shake_hands()) return;
    peer.write(engine::peer::text(R"({"type":"hello"})"));
    (void)peer.read_until_close();
  });
  auto options = std::make_shared<const client::Options>(options_for());
  auto first = std::make_unique<Subject>(server.url(), options);
  Subject second(server.url(), std::move(options));
  EXPECT_EQ(&first->client->options(), &second.client->options());
  first.reset();
  second.client->connect();
  EXPECT_EQ(second.next(), "connecting");
  EXPECT_EQ(second.next(), "connect");
  EXPECT_EQ(second.next(), "hello");
}

TEST(ClientLife, ConnectsReceivesSendsAndCloses) {
  std::vector<std::string> got;
  {
    Server server([&](const Peer& peer) {
      if (!peer.shake_hands()) return;
      peer.write(engine::peer::text(R"({"type":"hello"})"));
      got = peer.read_until_close();
    });
    Subject subject(server.url());
    subject.client->connect();
    EXPECT_EQ(subject.next(), "connecting");
    EXPECT_EQ(subject.next(), "connect");
    EXPECT_EQ(subject.next(), "hello");
    EXPECT_EQ(subject.send(R"({"a":1})"), Client::Sent::accepted);
    subject.client->close(1000, "Normal closure");
    EXPECT_EQ(subject.next(), "disconnect");
    EXPECT_EQ(subject.last.notice->event.unsent_messages, 0u);
    EXPECT_TRUE(subject.last.notice->event.clean);
    EXPECT_EQ(subject.next(), "closed");
    EXPECT_TRUE(subject.reaches(State::closed));
    EXPECT_EQ(subject.send("{}"), Client::Sent::dropped);
  }
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0], R"(1:{"a":1})");
  EXPECT_EQ(got[1], "8:" + engine::peer::close_payload(1000, "Normal closure"));
}

TEST(ClientLife, ComesBackAfterEveryDropAndNeverHasTwoTransports) {
  Server server([&](const Peer& peer) {
    if (peer.shake_hands()) peer.write(engine::peer::text(R"({"type":"hello"})"));
  });
  Subject subject(server.url());
  subject.client->connect();
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(subject.next(), "connecting");
    EXPECT_EQ(subject.next(), "connect");
    EXPECT_EQ(subject.next(), "hello");
    EXPECT_EQ(subject.next(), "disconnect");
    EXPECT_EQ(subject.last.notice->event.code, 1006);
    EXPECT_EQ(subject.next(), "reconnecting");
  }
  EXPECT_LE(server.most_live.load(), 2);  // the server notices an end a moment after the client
}

TEST(ClientLife, ARefusedPortIsAnErrorAndAWait) {
  std::uint16_t port = 0;
  {
    port = Server([](const Peer&) {}).port;
  }
  Subject subject("ws://127.0.0.1:" + std::to_string(port) + "/");
  subject.client->connect();
  EXPECT_EQ(subject.next(), "connecting");
  EXPECT_EQ(subject.next(), "error");
  EXPECT_EQ(subject.last.notice->event.failure.phase, Phase::tcp);
  EXPECT_EQ(subject.next(), "reconnecting");
  EXPECT_EQ(subject.next(), "connecting");
}

TEST(ClientLife, AServerThatNeverAnswersIsATimeoutOfTheWholeAttempt) {
  Server server([](const Peer& peer) {
    peer.read();
    peer.read(3000);
  });
  auto options = options_for();
  options.life.connect_timeout = 0.3;
  Subject subject(server.url(), std::move(options));
  subject.client->connect();
  EXPECT_EQ(subject.next(), "connecting");
  EXPECT_EQ(subject.next(), "error");
  EXPECT_EQ(subject.last.notice->event.failure.phase, Phase::timeout);
}

TEST(ClientLife, CloseWhileTheServerStallsIsImmediate) {
  Server server([](const Peer& peer) {
    peer.read();
    peer.read(3000);
  });
  Subject subject(server.url());
  subject.client->connect();
  EXPECT_EQ(subject.next(), "connecting");
  while (server.accepted.load() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  subject.client->close(1000, "");
  EXPECT_EQ(subject.client->state(), State::closed);
  EXPECT_EQ(subject.next(), "closed");
}

TEST(ClientLife, APeerThatBreaksTheProtocolIsToldAndThenLost) {
  Server server([](const Peer& peer) {
    if (!peer.shake_hands()) return;
    peer.write(engine::peer::frame(0x83, "reserved opcode"));
    (void)peer.read_until_close();
  });
  Subject subject(server.url());
  subject.client->connect();
  EXPECT_EQ(subject.next(), "connecting");
  EXPECT_EQ(subject.next(), "connect");
  EXPECT_EQ(subject.next(), "error");
  EXPECT_EQ(subject.last.notice->event.failure.phase, Phase::protocol);
  EXPECT_EQ(subject.next(), "disconnect");
  EXPECT_EQ(subject.last.notice->event.code, 1002);
  EXPECT_EQ(subject.last.notice->event.initiator, policy::Initiator::client);
}

TEST(ClientLife, ManyThreadsSendAndEverythingArrivesOnce) {
  constexpr int threads = 4;
  constexpr int each = 2000;
  std::vector<std::string> got;
  {
    Server server([&](const Peer& peer) {
      if (peer.shake_hands()) got = peer.read_until_close();
    });
    Subject subject(server.url());
    subject.client->connect();
    ASSERT_TRUE(subject.reaches(State::open));
    std::vector<std::thread> senders;
    for (int number = 0; number < threads; ++number) {
      senders.emplace_back([&, number] {
        for (int count = 0; count < each; ++count) {
          EXPECT_EQ(subject.send(std::to_string(number * each + count)), Client::Sent::accepted);
        }
      });
    }
    for (auto& sender : senders) sender.join();
    subject.client->close(1000, "");
    ASSERT_TRUE(subject.reaches(State::closed));
  }
  ASSERT_EQ(got.size(), static_cast<std::size_t>(threads * each + 1));
  std::vector<int> next(threads, 0);
  for (std::size_t index = 0; index + 1 < got.size(); ++index) {
    const int value = std::stoi(got[index].substr(2));
    EXPECT_EQ(value % each, next[static_cast<std::size_t>(value / each)]++);
  }
}

TEST(ClientLife, CommandsFromManyThreadsEndWithOneConnection) {
  Server server([](const Peer& peer) {
    if (peer.shake_hands()) (void)peer.read_until_close();
  });
  Subject subject(server.url());
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const Inside inside;
        subject.client->reconnect();
        subject.client->close(1000, "");
        subject.client->connect();
        subject.client->reconnect();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  subject.client->reconnect();
  ASSERT_TRUE(subject.reaches(State::open));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(subject.client->state(), State::open);
  EXPECT_EQ(server.live.load(), 1);
}

TEST(ClientLife, DestroyedInEveryStateWhileOthersWait) {
  Server server([](const Peer& peer) {
    if (peer.shake_hands()) (void)peer.read_until_close();
  });
  for (int round = 0; round < 60; ++round) {
    Subject subject(server.url());
    subject.client->connect();
    std::thread waiter([&] {
      while (!subject.next(0.05).empty()) continue;
    });
    std::this_thread::sleep_for(std::chrono::microseconds(100 * (round % 20)));
    subject.client->destroy(0.0);
    waiter.join();
    EXPECT_EQ(subject.client->state(), State::destroyed);
  }
}

TEST(ClientLife, ASuccessorDialsOnlyWhenThePredecessorIsGone) {
  Server server([](const Peer& peer) {
    if (peer.shake_hands()) (void)peer.read_until_close();
  });
  Subject first(server.url());
  first.client->connect();
  ASSERT_TRUE(first.reaches(State::open));
  first.client->close(1000, "");
  auto second = Client::make({net::parse_url(server.url()), {}},
                             std::make_shared<const client::Options>(options_for()), first.client);
  second->connect();
  const double until = net::monotonic_now() + 10.0;
  while (second->state() != State::open && net::monotonic_now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(second->state(), State::open);
  EXPECT_LE(server.most_live.load(), 2);
  second->destroy(0.0);
}

TEST(ClientLife, ASlowConsumerPausesTheServerAndLosesNothing) {
  constexpr int total = 20000;
  Server server([](const Peer& peer) {
    if (!peer.shake_hands()) return;
    std::string bytes;
    for (int number = 0; number < total; ++number) {
      bytes += engine::peer::text("{\"type\":\"" + std::to_string(number) + "\"}");
    }
    peer.write(bytes);
    (void)peer.read_until_close();
  });
  auto options = options_for();
  options.inbox_messages = 100;
  Subject subject(server.url(), std::move(options));
  subject.client->connect();
  EXPECT_EQ(subject.next(), "connecting");
  EXPECT_EQ(subject.next(), "connect");
  for (int number = 0; number < total; ++number) {
    ASSERT_EQ(subject.next(), std::to_string(number));
    EXPECT_LT(subject.client->inbox().counts().messages, 10000u);
  }
}

TEST(ClientLife, PingMeasuresARoundTrip) {
  Server server([](const Peer& peer) {
    if (!peer.shake_hands()) return;
    for (;;) {
      const std::string wire = peer.read();
      if (wire.empty()) return;
      for (const auto& frame : engine::peer::frames_in(wire)) {
        if (frame.rfind("9:", 0) == 0) peer.write(engine::peer::frame(0x8A, frame.substr(2)));
      }
    }
  });
  Subject subject(server.url());
  subject.client->connect();
  ASSERT_TRUE(subject.reaches(State::open));
  const Inside inside;
  const auto ping = subject.client->ping();
  ASSERT_TRUE(ping);
  double seconds = 0.0;
  EXPECT_EQ(subject.client->await_pong(*ping, net::monotonic_now() + 5.0, seconds), Client::Pong::arrived);
  EXPECT_GT(seconds, 0.0);
  EXPECT_LT(seconds, 5.0);
}

}  // namespace
