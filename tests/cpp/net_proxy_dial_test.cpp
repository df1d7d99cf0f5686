// Dialing through proxies, over real sockets: the way to the proxy, the tunnel, and every way to fail on it.
#include <gtest/gtest.h>
#include <netinet/tcp.h>

#include "net_proxy_rig.hpp"

namespace fastws::net {
namespace {

using testing::becomes_true;
using testing::by;
using testing::closed_port;
using testing::dial;
using testing::established;
using testing::hear;
using testing::hear_head;
using testing::Heard;
using testing::LoopThread;
using testing::Names;
using testing::Outcome;
using testing::receive;
using testing::say;
using testing::Server;
using testing::to;
using testing::transmit;

class ProxyDials : public ::testing::Test {
 protected:
  LoopThread io_;
};

TEST_F(ProxyDials, open_a_tunnel_whose_answer_comes_byte_by_byte) {
  Heard heard;
  const Server proxy([&](int socket) {
    heard.add(hear_head(socket));
    for (const char c : established) {
      say(socket, std::string(1, c));
      testing::pause(0.001);
    }
    if (hear(socket, 4) == "ping") say(socket, "pong");
  });
  const Outcome outcome = dial(io_, by("http://127.0.0.1:PORT", proxy.port(), "ws://server.test/"));
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(heard.all(),
            (std::vector<std::string>{"CONNECT server.test:80 HTTP/1.1\r\nHost: server.test:80\r\n\r\n"}));
  transmit(io_, *outcome.stream, "ping");
  EXPECT_EQ(receive(io_, *outcome.stream, 100).bytes, "pong");
}

TEST_F(ProxyDials, look_the_proxy_up_and_never_the_server) {
  Heard asked;
  const Names names([&](const std::string& host) {
    asked.add(host);
    return Resolved{{testing::address("127.0.0.9"), testing::address("127.0.0.1")}, ""};
  });
  const Server proxy([](int socket) {
    hear_head(socket);
    say(socket, established);
  });
  const Outcome outcome = dial(io_, by("http://proxy.test:PORT", proxy.port(), "ws://server.test/"));
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(asked.all(), std::vector<std::string>{"proxy.test"});
}

TEST_F(ProxyDials, keep_the_sockets_settings) {
  const Server proxy([](int socket) {
    hear_head(socket);
    say(socket, established);
    testing::read_to_end(socket);
  });
  DialOptions options = by("http://127.0.0.1:PORT", proxy.port(), "ws://server.test/");
  options.user_timeout = 12.5;
  const Outcome outcome = dial(io_, options);
  ASSERT_TRUE(outcome.stream) << outcome.message();
  int found = 0;
  for (int number = 0; number < 1024; ++number) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(number, reinterpret_cast<sockaddr*>(&peer), &size) != 0 ||
        ntohs(peer.sin_port) != proxy.port())
      continue;
    int value = -1;
    size = sizeof value;
    ::getsockopt(number, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size);
    EXPECT_EQ(value, 12500);
    ++found;
  }
  EXPECT_EQ(found, 1);
}

// --- What fails on the way -------------------------------------------------------------------------------------------

TEST_F(ProxyDials, whose_proxy_has_no_address_fail_in_proxy) {
  const Names names([](const std::string&) { return Resolved{{}, "no such name"}; });
  const Outcome outcome = dial(io_, by("http://ann:secret@nowhere.test:PORT", 3128, "ws://server.test/"));
  EXPECT_EQ(outcome.phase(), Phase::proxy);
  EXPECT_EQ(outcome.message(),
            "proxy nowhere.test:3128: the host's name can not be resolved (no such name); check the proxy's "
            "URL and the "
            "network");
}

TEST_F(ProxyDials, whose_proxys_name_hangs_fail_at_the_deadline_in_proxy) {
  std::promise<void> end;
  const std::shared_future<void> ended = end.get_future().share();
  const Names names([ended](const std::string&) {
    ended.wait();
    return Resolved{{}, "late"};
  });
  const Outcome outcome = dial(io_, by("http://slow.test:PORT", 3128, "ws://server.test/"), 0.3);
  EXPECT_EQ(outcome.phase(), Phase::proxy);
  EXPECT_TRUE(outcome.says("proxy slow.test:3128: the host's name was not resolved within 0."));
  end.set_value();
}

TEST_F(ProxyDials, whose_proxy_is_dead_fail_in_proxy) {
  const std::uint16_t port = closed_port();
  const Outcome outcome = dial(io_, by("socks5h://ann:secret@127.0.0.1:PORT", port, "wss://server.test/"));
  EXPECT_EQ(outcome.phase(), Phase::proxy);
  EXPECT_EQ(outcome.message(),
            "proxy 127.0.0.1:" + std::to_string(port) +
                ": can not connect (127.0.0.1: Connection refused); is the proxy running?");
  EXPECT_FALSE(outcome.failure->definitive);
}

TEST_F(ProxyDials, whose_proxy_is_silent_meet_the_deadline) {
  for (const char* kind : {"http://127.0.0.1:PORT", "socks5h://127.0.0.1:PORT", "https://127.0.0.1:PORT"}) {
    const Server proxy(testing::read_to_end);
    const Outcome outcome = dial(io_, by(kind, proxy.port(), "ws://server.test/"), 0.3);
    EXPECT_EQ(outcome.phase(), Phase::timeout) << kind;
    EXPECT_TRUE(outcome.says("proxy 127.0.0.1:" + std::to_string(proxy.port()))) << outcome.message();
    EXPECT_TRUE(outcome.says(std::string(kind).substr(0, 5) == "https" ? "the TLS handshake was not done"
                                                                       : "no tunnel to server.test:80"))
        << outcome.message();
    EXPECT_GE(outcome.seconds, 0.3);
    EXPECT_LT(outcome.seconds, 2.0);
  }
}

TEST_F(ProxyDials, whose_proxy_answers_for_ever_end_before_the_deadline) {
  const Server proxy([](int socket) {
    hear_head(socket);
    say(socket, "HTTP/1.1 200 OK\r\n");
    while (::send(socket, "A: b\r\n", 6, MSG_NOSIGNAL) > 0) {
    }
  });
  const Outcome outcome = dial(io_, by("http://127.0.0.1:PORT", proxy.port(), "ws://server.test/"));
  EXPECT_EQ(outcome.phase(), Phase::proxy);
  EXPECT_TRUE(outcome.says("longer than 16 KiB")) << outcome.message();
  EXPECT_LT(outcome.seconds, 5.0);
}

TEST_F(ProxyDials, whose_proxy_leaves_say_so) {
  for (const std::string said : {"", "HTTP/1.1 200 Connection est"}) {
    const Server proxy([&](int socket) {
      hear_head(socket);
      say(socket, said);
    });
    const Outcome outcome = dial(io_, by("http://127.0.0.1:PORT", proxy.port(), "ws://server.test/"));
    EXPECT_EQ(outcome.phase(), Phase::proxy);
    EXPECT_TRUE(outcome.says("it ended the connection before it had opened a tunnel to server.test:80"))
        << outcome.message();
  }
}

TEST_F(ProxyDials, whose_proxy_resets_say_so) {
  const Server proxy([&](int socket) {
    hear(socket, 1);  // what is left unread makes the end a reset
  });
  const Outcome outcome = dial(io_, by("http://127.0.0.1:PORT", proxy.port(), "ws://server.test/"));
  EXPECT_EQ(outcome.phase(), Phase::proxy);
  EXPECT_TRUE(outcome.says("reset")) << outcome.message();
}

TEST_F(ProxyDials, aborted_in_the_middle_leave_nothing_behind) {
  const Server proxy(testing::read_to_end);
  const std::size_t before = testing::open_descriptors();
  for (const char* kind : {"http://127.0.0.1:PORT", "socks5h://127.0.0.1:PORT", "https://127.0.0.1:PORT"}) {
    std::unique_ptr<Dial> dialing;
    const int served = proxy.served();
    io_.run([&] {
      dialing = std::make_unique<Dial>(io_.loop(), by(kind, proxy.port(), "wss://server.test/"));
      dialing->start(monotonic_now() + 20, [](std::unique_ptr<Stream>, std::optional<Failure>) { FAIL(); });
    });
    EXPECT_TRUE(becomes_true([&] { return proxy.served() > served; }));
    io_.run([&] { dialing.reset(); });
    EXPECT_TRUE(becomes_true([&] { return testing::open_descriptors() == before; }));
  }
}

// --- SOCKS5 ----------------------------------------------------------------------------------------------------------

/// Answers the greeting, hears a request for an IPv4 address and gives that address ("" = it asked for something else).
std::string hear_socks_request(int socket) {
  hear(socket, 3);
  say(socket, std::string("\5\0", 2));
  const std::string request = hear(socket, 10);
  if (request.size() < 10 || request[3] != 1) return "";
  char text[INET_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET, request.data() + 4, text, sizeof text);
  return text;
}

std::string socks_reply(int code) {
  return std::string("\5", 1) + static_cast<char>(code) + std::string("\0\1\0\0\0\0\0\0", 8);
}

TEST_F(ProxyDials, by_socks5_try_the_servers_addresses_one_after_another) {
  Heard heard;
  const Names names({"127.0.0.7", "127.0.0.8", "127.0.0.9"});
  const Server proxy([&](int socket) {
    const std::string wanted = hear_socks_request(socket);
    heard.add(wanted);
    say(socket, socks_reply(wanted == "127.0.0.8" ? 0 : 5));
  });
  const Outcome outcome = dial(io_, by("socks5://127.0.0.1:PORT", proxy.port(), "ws://server.test/"));
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(heard.all(), (std::vector<std::string>{"127.0.0.7", "127.0.0.8"}));
}

TEST_F(ProxyDials, by_socks5_tell_what_was_said_of_the_last_address) {
  const Names names({"127.0.0.7", "127.0.0.8"});
  const Server proxy(
      [&](int socket) { say(socket, socks_reply(hear_socks_request(socket) == "127.0.0.7" ? 5 : 4)); });
  const Outcome outcome = dial(io_, by("socks5://127.0.0.1:PORT", proxy.port(), "ws://server.test/"));
  EXPECT_EQ(outcome.phase(), Phase::proxy);
  EXPECT_TRUE(outcome.says("it can not reach the host of 127.0.0.8:80 (SOCKS reply 4)")) << outcome.message();
  EXPECT_EQ(proxy.served(), 2);
}

TEST_F(ProxyDials, by_socks5_ask_no_second_time_when_the_rules_forbid_it) {
  const Names names({"127.0.0.7", "127.0.0.8"});
  const Server proxy([&](int socket) {
    hear_socks_request(socket);
    say(socket, socks_reply(2));
  });
  const Outcome outcome = dial(io_, by("socks5://127.0.0.1:PORT", proxy.port(), "ws://server.test/"));
  EXPECT_TRUE(outcome.failure && outcome.failure->definitive);
  EXPECT_EQ(proxy.served(), 1);
}

TEST_F(ProxyDials, by_socks5_whose_server_has_no_address_fail_in_resolve) {
  const Names names([](const std::string&) { return Resolved{{}, "no such name"}; });
  const Outcome outcome = dial(io_, by("socks5://127.0.0.1:PORT", closed_port(), "ws://server.test/"));
  EXPECT_EQ(outcome.phase(), Phase::resolve);
  EXPECT_TRUE(outcome.says("server.test:80: the host's name can not be resolved")) << outcome.message();
  EXPECT_TRUE(outcome.says("socks5h://")) << outcome.message();
}

TEST_F(ProxyDials, with_a_variable_that_can_not_be_used_fail_and_name_it) {
  DialOptions options = to("wss://server.test/");
  options.proxy.environment = ProxyEnvironment{"", "ftp://ann:secret@proxy.test", "", ""};
  const Outcome outcome = dial(io_, options);
  EXPECT_EQ(outcome.phase(), Phase::proxy);
  EXPECT_TRUE(outcome.failure->definitive);
  EXPECT_EQ(outcome.message(),
            "the environment's https_proxy: bad URL: the scheme must be http, https, socks5 or socks5h");
}

TEST_F(ProxyDials, by_the_environment_reach_loopback_directly) {
  const Server server([](int socket) { say(socket, "hello"); });
  DialOptions options = to("ws", "127.0.0.1", server.port());
  options.proxy.environment =
      ProxyEnvironment{"", "", "http://127.0.0.1:" + std::to_string(closed_port()), ""};
  const Outcome outcome = dial(io_, options);
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(receive(io_, *outcome.stream, 100).bytes, "hello");
}

}  // namespace
}  // namespace fastws::net
