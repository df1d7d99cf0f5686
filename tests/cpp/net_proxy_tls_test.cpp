// Dialing through proxies with TLS: to the server inside the tunnel, to the proxy, and one within the other.
#include <gtest/gtest.h>

#include "net_proxy_rig.hpp"
#include "net_tls_rig.hpp"

namespace fastws::net {
namespace {

using testing::Asked;
using testing::by;
using testing::Certificate;
using testing::closed_port;
using testing::dial;
using testing::established;
using testing::hear;
using testing::hear_head;
using testing::Heard;
using testing::House;
using testing::LoopThread;
using testing::Outcome;
using testing::pattern;
using testing::receive;
using testing::say;
using testing::Server;
using testing::TlsServer;
using testing::transmit;

/// Hands bytes on between a TLS session and a port of 127.0.0.1, until either side ends.
void relay(SSL* session, int socket, std::uint16_t port) {
  Address there = testing::address("127.0.0.1");
  there.set_port(port);
  const int onward = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::connect(onward, reinterpret_cast<sockaddr*>(&there.storage), there.size);
  char bytes[16384];
  for (;;) {
    pollfd wanted[2] = {{socket, POLLIN, 0}, {onward, POLLIN, 0}};
    if (SSL_pending(session) == 0) ::poll(wanted, 2, 20000);
    if (SSL_pending(session) > 0 || wanted[0].revents != 0) {
      const int count = SSL_read(session, bytes, sizeof bytes);
      if (count <= 0 || ::send(onward, bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL) != count) break;
    }
    if (wanted[1].revents != 0) {
      const ssize_t count = ::recv(onward, bytes, sizeof bytes, 0);
      if (count <= 0 || SSL_write(session, bytes, static_cast<int>(count)) <= 0) break;
    }
  }
  ::close(onward);
}

/// A proxy behind TLS whose every tunnel ends at `port`.
class TlsProxy {
 public:
  TlsProxy(const Certificate& certificate, std::uint16_t port)
      : server_(certificate, [this, port](SSL* session, int socket) {
          std::string head;
          char byte = 0;
          while (head.find("\r\n\r\n") == std::string::npos && SSL_read(session, &byte, 1) == 1) head += byte;
          heard.add(head);
          SSL_write(session, established.data(), static_cast<int>(established.size()));
          relay(session, socket, port);
        }) {}

  Heard heard;
  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] std::string asked_name() const { return server_.asked_name(); }

 private:
  TlsServer server_;
};

class TlsProxyDials : public ::testing::Test {
 protected:
  /// Through a proxy behind TLS; the authority of the house is asked about it, and about a server that speaks TLS.
  Outcome dial_through(const TlsProxy& proxy, const char* server) {
    DialOptions options = by("https://localhost:PORT", proxy.port(), server);
    options.tls = house_.trusted();
    return dial(io_, options);
  }

  LoopThread io_;
  House house_;
};

TEST_F(TlsProxyDials, shake_hands_with_the_server_inside_the_tunnel) {
  const TlsServer server(house_.server, testing::echo);
  const Server proxy([&](int socket) {
    hear_head(socket);
    say(socket, established);
    Address there = testing::address("127.0.0.1");
    there.set_port(server.port());
    const int onward = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::connect(onward, reinterpret_cast<sockaddr*>(&there.storage), there.size);
    std::thread back([&] {
      for (std::string bytes = hear(onward, 1); !bytes.empty(); bytes = hear(onward, 1)) say(socket, bytes);
    });
    for (std::string bytes = hear(socket, 1); !bytes.empty(); bytes = hear(socket, 1)) say(onward, bytes);
    ::shutdown(onward, SHUT_RDWR);
    back.join();
    ::close(onward);
  });
  DialOptions options = by("http://127.0.0.1:PORT", proxy.port(), "wss://a.good.test/");
  options.tls = house_.trusted();
  const Outcome outcome = dial(io_, options);
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(outcome.stream->tls_version(), "TLSv1.3");
  transmit(io_, *outcome.stream, "hello");
  EXPECT_EQ(receive(io_, *outcome.stream, 5).bytes, "hello");
  EXPECT_EQ(server.asked_name(), "a.good.test");
  io_.run([&] { outcome.stream->close(); });
}

TEST_F(TlsProxyDials, by_a_proxy_behind_tls_reach_a_plain_server) {
  const Server server([](int socket) { say(socket, hear(socket, 5)); });
  const TlsProxy proxy(house_.server, server.port());
  DialOptions options = by("https://localhost:PORT", proxy.port(), "ws://server.test/");
  options.tls = house_.trusted();
  options.tls.server_name = "other.test";  // the server's name, not the proxy's
  const Outcome outcome = dial(io_, options);
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(proxy.asked_name(), "localhost");
  transmit(io_, *outcome.stream, "hello");
  EXPECT_EQ(receive(io_, *outcome.stream, 100).bytes, "hello");
}

TEST_F(TlsProxyDials, carry_tls_within_tls) {
  const TlsServer server(house_.server, testing::echo);
  const TlsProxy proxy(house_.server, server.port());
  const Outcome outcome = dial_through(proxy, "wss://a.good.test/");
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(proxy.heard.all(),
            (std::vector<std::string>{"CONNECT a.good.test:443 HTTP/1.1\r\nHost: a.good.test:443\r\n\r\n"}));
  EXPECT_EQ(proxy.asked_name(), "localhost");
  for (const std::size_t step : {std::size_t{100}, std::size_t{65536}}) {
    const std::string sent = pattern(200'000);
    transmit(io_, *outcome.stream, sent);
    EXPECT_EQ(receive(io_, *outcome.stream, sent.size(), step).bytes, sent) << step;
  }
  EXPECT_EQ(server.asked_name(), "a.good.test");
}

TEST_F(TlsProxyDials, send_much_through_tls_within_tls_that_is_slow_to_take_it) {
  const std::string sent = pattern(32'000'000);
  std::promise<std::string> got;
  const TlsServer server(house_.server, [&](SSL* session, int) {
    testing::pause(0.5);  // so that everything on the way fills up
    std::string all;
    char bytes[16384];
    for (int count = 1; count > 0 && all.size() < sent.size();) {
      count = SSL_read(session, bytes, sizeof bytes);
      if (count > 0) all.append(bytes, static_cast<std::size_t>(count));
    }
    got.set_value(all);
    testing::swallow(session, 0);
  });
  const TlsProxy proxy(house_.server, server.port());
  const Outcome outcome = dial_through(proxy, "wss://localhost/");
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_GT(transmit(io_, *outcome.stream, sent), 0) << "it never had to wait: send more";
  EXPECT_EQ(got.get_future().get(), sent);
}

TEST_F(TlsProxyDials, say_goodbye_to_the_server_inside_both) {
  std::promise<int> goodbye;
  const TlsServer server(house_.server, [&](SSL* session, int) {
    testing::swallow(session, 0);
    goodbye.set_value(SSL_get_shutdown(session));
  });
  const TlsProxy proxy(house_.server, server.port());
  const Outcome outcome = dial_through(proxy, "wss://localhost/");
  ASSERT_TRUE(outcome.stream) << outcome.message();
  outcome.stream->close();
  EXPECT_NE(goodbye.get_future().get() & SSL_RECEIVED_SHUTDOWN, 0);
  char byte = 0;
  EXPECT_EQ(outcome.stream->read(&byte, 1).io, Io::error);
  EXPECT_EQ(outcome.stream->write("x", 1).io, Io::error);
  EXPECT_EQ(outcome.stream->error(), "the stream is closed");
}

TEST_F(TlsProxyDials, take_the_proxys_end_within_tls_for_the_streams_end) {
  const TlsServer server(house_.server, [](SSL*, int) {});  // ends the connection without goodbye
  const TlsProxy proxy(house_.server, server.port());
  const Outcome outcome = dial_through(proxy, "wss://localhost/");
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(receive(io_, *outcome.stream, 1).io, Io::end);
}

TEST_F(TlsProxyDials, refuse_a_proxy_whose_certificate_is_not_for_it) {
  const Certificate other(Asked{"other", "DNS:other.test"}, &house_.authority);
  const TlsProxy proxy(other, closed_port());
  DialOptions options = by("https://ann:secret@localhost:PORT", proxy.port(), "wss://server.test/");
  options.tls = house_.trusted();
  const Outcome outcome = dial(io_, options);
  EXPECT_EQ(outcome.phase(), Phase::proxy);
  EXPECT_TRUE(outcome.failure && outcome.failure->definitive);
  EXPECT_EQ(outcome.message(), "proxy localhost:" + std::to_string(proxy.port()) +
                                   ": the proxy's certificate was refused (hostname mismatch); it is not for "
                                   "localhost: check the proxy's URL");
  EXPECT_TRUE(proxy.heard.all().empty()) << "nothing may be said to a proxy that nobody knows";
}

TEST_F(TlsProxyDials, refuse_a_server_inside_whose_certificate_is_not_for_it) {
  const TlsServer server(house_.server, testing::echo);
  const TlsProxy proxy(house_.server, server.port());
  const Outcome outcome = dial_through(proxy, "wss://bad.test/");
  EXPECT_EQ(outcome.phase(), Phase::tls);
  EXPECT_TRUE(outcome.says("bad.test:443: the server's certificate was refused (hostname mismatch)"))
      << outcome.message();
}

TEST_F(TlsProxyDials, to_a_plain_proxy_as_if_it_spoke_tls_say_what_to_try) {
  const Server proxy([](int socket) {
    hear(socket, 5);
    say(socket, "HTTP/1.1 400 Bad Request\r\n\r\n");
    testing::read_to_end(socket);
  });
  const Outcome outcome = dial(io_, by("https://127.0.0.1:PORT", proxy.port(), "ws://server.test/"));
  EXPECT_EQ(outcome.phase(), Phase::proxy);
  EXPECT_FALSE(outcome.failure->definitive);
  EXPECT_TRUE(outcome.says("does the proxy speak TLS on this port, or should its URL begin with http://?"))
      << outcome.message();
}

}  // namespace
}  // namespace fastws::net
