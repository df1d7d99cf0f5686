// Dialing without TLS: over all addresses, under one deadline, with a sentence for every way it can fail.
#include "net/dialer.hpp"

#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include <fcntl.h>
#include <sys/resource.h>

#include "net/socket_stream.hpp"
#include "net_rig.hpp"

namespace fastws::net {
namespace {

using testing::closed_port;
using testing::dial;
using testing::Listener;
using testing::LoopThread;
using testing::Names;
using testing::Outcome;
using testing::Server;
using testing::to;

/// Says "hello" and ends.
void greet(int socket) { ::send(socket, "hello", 5, MSG_NOSIGNAL); }

/// The same port on several addresses of loopback.
std::vector<std::unique_ptr<Listener>> on_one_port(const std::vector<std::pair<std::string, int>>& places) {
  for (;;) {
    std::vector<std::unique_ptr<Listener>> made;
    try {
      for (const auto& [at, backlog] : places) {
        const std::uint16_t port = made.empty() ? std::uint16_t{0} : made.front()->port();
        made.push_back(std::make_unique<Listener>(at, port, backlog));
      }
      return made;
    } catch (const std::runtime_error&) {
      // somebody else has that port on the other address
    }
  }
}

class Dials : public ::testing::Test {
 protected:
  LoopThread io_;
};

TEST_F(Dials, reach_an_ipv4_address) {
  const Server server(greet);
  const Outcome outcome = dial(io_, to("ws", "127.0.0.1", server.port()));
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_FALSE(outcome.failure.has_value());
  EXPECT_EQ(testing::receive(io_, *outcome.stream, 100).bytes, "hello");
  EXPECT_EQ(outcome.stream->tls_version(), "");
}

TEST_F(Dials, reach_an_ipv6_address) {
  const Server server(greet, "::1");
  const Outcome outcome = dial(io_, to("ws", "[::1]", server.port()));
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(testing::receive(io_, *outcome.stream, 100).bytes, "hello");
}

TEST_F(Dials, reach_a_name) {
  const Server server(greet);
  const Outcome outcome = dial(io_, to("ws", "localhost", server.port()));
  ASSERT_TRUE(outcome.stream) << outcome.message();
}

TEST_F(Dials, refused_say_where_why_and_what_to_try) {
  const std::uint16_t port = closed_port();
  const Outcome outcome = dial(io_, to("ws", "127.0.0.1", port));
  EXPECT_EQ(outcome.phase(), Phase::tcp);
  EXPECT_EQ(outcome.message(),
            "127.0.0.1:" + std::to_string(port) +
                ": can not connect (127.0.0.1: Connection refused); is the server running?");
  EXPECT_FALSE(outcome.failure->definitive);
  EXPECT_LT(outcome.seconds, 1.0);
}

TEST_F(Dials, to_a_name_that_is_none_fail_in_resolve) {
  const Names names([](const std::string&) { return Resolved{{}, "no such name"}; });
  const Outcome outcome = dial(io_, to("ws", "nowhere.test", 80));
  EXPECT_EQ(outcome.phase(), Phase::resolve);
  EXPECT_TRUE(outcome.says("nowhere.test:80")) << outcome.message();
  EXPECT_TRUE(outcome.says("no such name")) << outcome.message();
}

TEST_F(Dials, whose_name_hangs_fail_at_the_deadline_in_resolve) {
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  const Names names([ended](const std::string&) {
    ended.wait();
    return Resolved{{}, "late"};
  });
  const Outcome outcome = dial(io_, to("ws", "slow.test", 80), 0.3);
  EXPECT_EQ(outcome.phase(), Phase::resolve);
  EXPECT_TRUE(outcome.says("was not resolved within "))
      << outcome.message();  // the seconds depend on the load
  EXPECT_GE(outcome.seconds, 0.3);
  EXPECT_LT(outcome.seconds, 2.0);
  end.set_value();
}

TEST_F(Dials, try_the_next_address_at_once_after_a_refusal) {
  const Server server(greet);
  const Names names({"127.0.0.2", "127.0.0.3", "127.0.0.1"});
  const Outcome outcome = dial(io_, to("ws", "many.test", server.port()));
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_LT(outcome.seconds, 0.2);
}

TEST_F(Dials, try_the_next_address_beside_one_that_is_silent) {
  const auto places = on_one_port({{"127.0.0.2", 0}, {"127.0.0.1", 8}});
  places[0]->become_black_hole();
  const Names names({"127.0.0.2", "127.0.0.1"});
  const Outcome outcome = dial(io_, to("ws", "half.test", places[1]->port()));
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_GE(outcome.seconds, 0.24);
  EXPECT_LT(outcome.seconds, 3.0);
}

TEST_F(Dials, give_the_other_family_the_second_turn) {
  const auto places = on_one_port({{"127.0.0.2", 0}, {"127.0.0.1", 8}, {"::1", 8}});
  places[0]->become_black_hole();
  const Names names({"127.0.0.2", "127.0.0.1", "::1"});
  const Outcome outcome = dial(io_, to("ws", "mixed.test", places[0]->port()));
  ASSERT_TRUE(outcome.stream) << outcome.message();
  const int met = places[2]->accept(1000);
  EXPECT_GE(met, 0);
  ::close(met);
}

TEST_F(Dials, close_the_addresses_that_lost) {
  const auto places = on_one_port({{"127.0.0.2", 0}, {"127.0.0.1", 8}});
  places[0]->become_black_hole();
  const Names names({"127.0.0.2", "127.0.0.1"});
  const std::size_t before = testing::open_descriptors();
  const Outcome outcome = dial(io_, to("ws", "half.test", places[1]->port()));
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(testing::open_descriptors(), before + 1);
}

TEST_F(Dials, with_all_addresses_refused_name_each) {
  const std::uint16_t port = closed_port();
  const Names names({"127.0.0.1", "127.0.0.2"});
  const Outcome outcome = dial(io_, to("ws", "dead.test", port));
  EXPECT_EQ(outcome.phase(), Phase::tcp);
  EXPECT_TRUE(outcome.says("dead.test:" + std::to_string(port))) << outcome.message();
  EXPECT_TRUE(outcome.says("127.0.0.1: Connection refused, 127.0.0.2: Connection refused"))
      << outcome.message();
}

TEST_F(Dials, with_very_many_addresses_refused_count_the_rest) {
  const Names names(
      {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6", "127.0.0.7"});
  const Outcome outcome = dial(io_, to("ws", "dead.test", closed_port()));
  EXPECT_TRUE(outcome.says("127.0.0.4: Connection refused, and 3 more)")) << outcome.message();
}

TEST_F(Dials, without_an_answer_end_at_the_deadline) {
  Listener hole("127.0.0.1", 0, 0);
  hole.become_black_hole();
  const Outcome outcome = dial(io_, to("ws", "127.0.0.1", hole.port()), 0.4);
  EXPECT_EQ(outcome.phase(), Phase::timeout);
  EXPECT_TRUE(outcome.says("firewall")) << outcome.message();
  EXPECT_GE(outcome.seconds, 0.4);
  EXPECT_LT(outcome.seconds, 2.0);
}

TEST_F(Dials, that_time_out_tell_what_the_other_addresses_said) {
  const auto places = on_one_port({{"127.0.0.2", 0}});
  places[0]->become_black_hole();
  const Names names({"127.0.0.1", "127.0.0.2"});
  const Outcome outcome = dial(io_, to("ws", "half.test", places[0]->port()), 0.4);
  EXPECT_EQ(outcome.phase(), Phase::timeout);
  EXPECT_TRUE(outcome.says("(127.0.0.1: Connection refused)")) << outcome.message();
}

TEST_F(Dials, with_no_descriptor_left_fail_and_say_so) {
  const Server server(greet);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 3;  // lower than what is open: no new one can be had
  Outcome outcome;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  outcome = dial(io_, to("ws", "127.0.0.1", server.port()));
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(outcome.phase(), Phase::tcp);
  EXPECT_TRUE(outcome.says("Too many open files")) << outcome.message();
  EXPECT_TRUE(outcome.says("ulimit")) << outcome.message();
}

TEST_F(Dials, never_show_the_urls_password) {
  DialOptions options = to("ws://user:secret@127.0.0.1:" + std::to_string(closed_port()) + "/");
  EXPECT_FALSE(dial(io_, options).says("secret"));
}

/// The descriptor that a dial opened: the one that was not open before.
int newest_socket(std::uint16_t port) {
  for (int number = 0; number < 1024; ++number) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(number, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && peer.sin_family == AF_INET &&
        ntohs(peer.sin_port) == port) {
      return number;
    }
  }
  return -1;
}

int option(int socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(socket, level, name, &value, &size);
  return value;
}

TEST_F(Dials, make_sockets_that_do_not_block_delay_or_outlive_exec) {
  const Server server(testing::read_to_end);
  DialOptions options = to("ws", "127.0.0.1", server.port());
  options.user_timeout = 12.5;
  const Outcome outcome = dial(io_, options);
  ASSERT_TRUE(outcome.stream);
  const int socket = newest_socket(server.port());
  EXPECT_NE(::fcntl(socket, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(socket, F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_NE(option(socket, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_NE(option(socket, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT), 12500);
}

TEST_F(Dials, leave_the_systems_user_timeout_when_none_is_given) {
  const Server server(testing::read_to_end);
  const Outcome outcome = dial(io_, to("ws", "127.0.0.1", server.port()));
  ASSERT_TRUE(outcome.stream);
  EXPECT_EQ(option(newest_socket(server.port()), IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

TEST(Socket, that_met_itself_is_known) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  Address local = testing::address("127.0.0.1");
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&local.storage), local.size), 0);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&local.storage), &local.size);
  ASSERT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&local.storage), local.size), 0);
  EXPECT_TRUE(connected_to_itself(socket));
  ::close(socket);
}

TEST(Socket, that_met_a_server_is_not_taken_for_itself) {
  const Listener listener;
  Address there = testing::address("127.0.0.1");
  there.set_port(listener.port());
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_FALSE(connected_to_itself(socket));  // not connected at all
  ASSERT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&there.storage), there.size), 0);
  EXPECT_FALSE(connected_to_itself(socket));
  ::close(socket);
}

}  // namespace
}  // namespace fastws::net
