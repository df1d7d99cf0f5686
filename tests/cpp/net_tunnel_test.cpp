// What is said to a proxy, and what is made of its answers: whole, byte by byte, wrong, and without end.
#include "net/tunnel.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "net/http_reply.hpp"

namespace fastws::net {
namespace {

using Step = Tunnel::Step;

std::string taken(Tunnel& tunnel) { return std::exchange(tunnel.output(), ""); }

std::string bytes(std::initializer_list<int> values) {
  std::string made;
  for (const int value : values) made += static_cast<char>(value);
  return made;
}

/// Feeds in pieces of `size` bytes; the step that ended it.
Step feed(Tunnel& tunnel, const std::string& all, std::size_t size) {
  for (std::size_t at = 0; at < all.size(); at += size) {
    const Step step = tunnel.feed(std::string_view(all).substr(at, size));
    if (step != Step::more) {
      EXPECT_TRUE(step == Step::failed || at + size >= all.size()) << "done before the end of the answer";
      return step;
    }
  }
  return Step::more;
}

// --- HTTP ------------------------------------------------------------------------------------------------------------

std::unique_ptr<Tunnel> connect_to(const std::string& host,
                                   const std::string& proxy = "http://proxy.test:3128") {
  return make_tunnel(parse_proxy(proxy), Target{host, 8443});
}

TEST(HttpTunnel, asks_for_the_server_by_name) {
  EXPECT_EQ(taken(*connect_to("server.test")),
            "CONNECT server.test:8443 HTTP/1.1\r\nHost: server.test:8443\r\n\r\n");
}

TEST(HttpTunnel, puts_an_ipv6_address_in_brackets_and_keeps_its_zone_to_itself) {
  EXPECT_EQ(taken(*connect_to("fe80::1%eth0")),
            "CONNECT [fe80::1]:8443 HTTP/1.1\r\nHost: [fe80::1]:8443\r\n\r\n");
}

TEST(HttpTunnel, sends_a_user_and_password_at_once) {
  const auto tunnel = connect_to("server.test", "http://Aladdin:open%20sesame@proxy.test:3128");
  EXPECT_NE(taken(*tunnel).find("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"),
            std::string::npos);
  EXPECT_NE(taken(*connect_to("server.test", "http://a@proxy.test")).find("Basic YTo=\r\n"),
            std::string::npos);
}

TEST(HttpTunnel, opens_with_every_2xx_in_pieces_of_any_size) {
  for (const std::string reply :
       {"HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\nProxy-agent: tinyproxy/1.11\r\n\r\n", "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 200 \r\nContent-Length: 500\r\n\r\n", "HTTP/1.1 204 \xC3\xBC\r\nX:\r\nY: \t a b \t\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"}) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{7}, reply.size()}) {
      EXPECT_EQ(feed(*connect_to("server.test"), reply, size), Step::done) << reply;
    }
  }
}

TEST(HttpTunnel, never_takes_bytes_behind_the_answer_for_the_servers) {
  const auto tunnel = connect_to("server.test");
  EXPECT_EQ(tunnel->feed("HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 101 Switching"), Step::failed);
  EXPECT_NE(tunnel->failure().message.find("bytes behind its answer"), std::string::npos);
}

struct Refusal {
  std::string reply;
  int status;
  std::string says;
};

TEST(HttpTunnel, tells_each_refusal_where_what_and_what_to_try) {
  const std::vector<Refusal> cases = {
      {"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n", 407,
       "proxy proxy.test:3128: it wants a user and password (407 Proxy Authentication Required); give them "
       "in the "
       "proxy's URL: http://user:password@..."},
      {"HTTP/1.1 407 No\r\n\r\n", 407, "it wants a user and password (407 No)"},
      {"HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\n\r\n", 407,
       "it wants a kind of authentication that is not Basic (407 No)"},
      {"HTTP/1.1 407 No\r\nproxy-authenticate: Negotiate\r\nPROXY-AUTHENTICATE: BASIC\r\n\r\n", 407,
       "it wants a user and password (407 No)"},
      {"HTTP/1.0 403 Filtered\r\n\r\n", 403, "it forbids a connection to server.test:8443 (403 Filtered)"},
      {"HTTP/1.0 405 Method Not Allowed\r\n\r\n", 405, "is it an HTTP proxy that allows CONNECT?"},
      {"HTTP/1.0 400 Bad Request\r\n\r\n", 400, "is it an HTTP proxy that allows CONNECT?"},
      {"HTTP/1.1 502 Bad Gateway\r\n\r\n", 502,
       "it could not connect to server.test:8443 (502 Bad Gateway); is the server running"},
      {"HTTP/1.1 500\r\n\r\n", 500, "it could not connect to server.test:8443 (500);"},
      {"HTTP/1.1 302 Found\r\nLocation: http://login.test\r\n\r\n", 302, "it refused a tunnel"},
      {"HTTP/1.1 101 Switching\r\n\r\n", 101, "it refused a tunnel"},
      {"HTTP/1.1 418 \x1b[2J\r\n\r\n", 0, "control character"},
      {"HTTP/1.1 418 \xC3\xBC" + std::string(200, 'x') + "\r\n\r\n", 418,
       "(418 ??" + std::string(78, 'x') + ")"},
  };
  for (const auto& one : cases) {
    for (const std::size_t size : {std::size_t{1}, one.reply.size()}) {
      const auto tunnel = connect_to("server.test");
      EXPECT_EQ(feed(*tunnel, one.reply, size), Step::failed) << one.reply;
      EXPECT_EQ(tunnel->failure().phase, Phase::proxy);
      EXPECT_EQ(tunnel->failure().http_status, one.status) << one.reply;
      EXPECT_NE(tunnel->failure().message.find(one.says), std::string::npos) << tunnel->failure().message;
      EXPECT_EQ(tunnel->failure().message.rfind("proxy proxy.test:3128: ", 0), 0U);
      EXPECT_FALSE(tunnel->another_address_may_do());
      EXPECT_EQ(tunnel->failure().definitive, one.status == 407);
    }
  }
}

TEST(HttpTunnel, whose_user_and_password_are_refused_shows_neither) {
  const auto tunnel = connect_to("server.test", "http://ann:secret@proxy.test:3128");
  EXPECT_EQ(tunnel->feed("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n"), Step::failed);
  EXPECT_EQ(
      tunnel->failure().message,
      "proxy proxy.test:3128: it refused the user and password (407 No); check those of the proxy's URL");
}

TEST(HttpTunnel, whose_user_and_password_are_refused_with_401_says_the_same) {
  const auto tunnel = connect_to("server.test", "http://ann:secret@proxy.test:3128");
  EXPECT_EQ(tunnel->feed("HTTP/1.0 401 Unauthorized\r\n\r\n"), Step::failed);
  EXPECT_TRUE(tunnel->failure().definitive);
  EXPECT_NE(tunnel->failure().message.find("it refused the user and password (401 Unauthorized)"),
            std::string::npos);
}

TEST(HttpTunnel, hands_on_when_the_proxy_wants_to_be_asked_again) {
  const auto tunnel = connect_to("server.test");
  EXPECT_EQ(tunnel->feed("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n"), Step::failed);
  EXPECT_EQ(tunnel->failure().headers, (Headers{{"Retry-After", "7"}}));
}

TEST(HttpTunnel, knows_what_is_no_http_proxy_at_the_first_wrong_byte) {
  const auto at_once = [](const std::string& said) {
    const auto tunnel = connect_to("server.test");
    EXPECT_EQ(feed(*tunnel, said, 1), Step::failed) << said;
    EXPECT_NE(tunnel->failure().message.find("is it an HTTP proxy"), std::string::npos);
    EXPECT_FALSE(tunnel->failure().definitive);
    EXPECT_EQ(tunnel->failure().http_status, 0);
  };
  at_once("SSH-2.0-OpenSSH");
  at_once("\x05");
  at_once("\x15\x03\x01");
  at_once("http/1.1");
  at_once("HTTP/2");
  at_once("\r\n");
  at_once("HTTP/1.x 200 OK\r\n");
  at_once("HTTP/1.1200 OK\r\n");
  at_once("HTTP/1.1 20\r\n");
  at_once("HTTP/1.1 2000 OK\r\n");
  at_once("HTTP/1.1 099 No\r\n");
  at_once("HTTP/1.1  200 OK\r\n");
  at_once("HTTP/1.1 200 OK\n");
  at_once("HTTP/1.1 200 OK\rX");
  at_once(std::string("HTTP/1.1 200 O\0K", 16));
  at_once("HTTP/1.1 200 OK\r\nno header\r\n");
  at_once("HTTP/1.1 200 OK\r\n: empty\r\n");
  at_once("HTTP/1.1 200 OK\r\nA b: c\r\n");
  at_once("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n");
  at_once("HTTP/1.1 200 OK\r\nA: b\x7f");
  at_once("HTTP/1.1 100 Go on\r\n\r\nSSH-2.0");
}

TEST(HttpTunnel, ends_what_has_no_end) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"HTTP/1.1 200 OK\r\n", "A: b\r\n"},                                 // headers
      {"HTTP/1.1 200 OK\r\nA: ", "b"},                                     // one header
      {"HTTP/1.1 200 ", "O"},                                              // a reason
      {"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"},  // interim answers
  };
  for (const auto& [begin, again] : cases) {
    const auto tunnel = connect_to("server.test");
    std::size_t fed = begin.size();
    Step step = tunnel->feed(begin);
    while (step == Step::more && fed < 10 * HttpReply::most_bytes) {
      step = tunnel->feed(again);
      fed += again.size();
    }
    EXPECT_EQ(step, Step::failed) << begin;
    EXPECT_LE(fed, HttpReply::most_bytes + again.size());
    EXPECT_NE(tunnel->failure().message.find("longer than 16 KiB"), std::string::npos);
  }
}

TEST(HttpReply, may_be_as_long_as_it_may_be) {
  const std::string begin = "HTTP/1.1 200 OK\r\nA: ";
  HttpReply reply;
  EXPECT_EQ(reply.feed(begin + std::string(HttpReply::most_bytes - begin.size() - 4, 'b') + "\r\n\r\n"),
            HttpReply::Step::done);
}

// --- SOCKS5 ----------------------------------------------------------------------------------------------------------

std::unique_ptr<Tunnel> socks_to(const std::string& host, const std::string& userinfo = "") {
  return make_tunnel(parse_proxy("socks5h://" + userinfo + "proxy.test"), Target{host, 0x1234});
}

const std::string no_method_needed = bytes({5, 0});
const std::string success = bytes({5, 0, 0, 1, 127, 0, 0, 1, 0x10, 0x20});

TEST(SocksTunnel, asks_for_a_name) {
  const auto tunnel = socks_to("server.test");
  EXPECT_EQ(taken(*tunnel), bytes({5, 1, 0}));
  EXPECT_EQ(tunnel->feed(no_method_needed), Step::more);
  EXPECT_EQ(taken(*tunnel), bytes({5, 1, 0, 3, 11}) + "server.test" + bytes({0x12, 0x34}));
  EXPECT_EQ(tunnel->feed(success), Step::done);
}

TEST(SocksTunnel, asks_for_addresses_as_such) {
  const auto four = socks_to("10.1.2.3");
  taken(*four);
  EXPECT_EQ(four->feed(no_method_needed), Step::more);
  EXPECT_EQ(taken(*four), bytes({5, 1, 0, 1, 10, 1, 2, 3, 0x12, 0x34}));
  const auto six = socks_to("2001:db8::1%eth0");
  taken(*six);
  EXPECT_EQ(six->feed(no_method_needed), Step::more);
  EXPECT_EQ(taken(*six),
            bytes({5, 1, 0, 4, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x12, 0x34}));
}

TEST(SocksTunnel, sends_a_user_and_password_when_the_proxy_wants_them) {
  const auto tunnel = socks_to("server.test", "ann:secret@");
  EXPECT_EQ(taken(*tunnel), bytes({5, 2, 0, 2}));
}

TEST(SocksTunnel, authenticates_and_then_asks) {
  const auto tunnel = socks_to("a.test", "ann:secret@");
  taken(*tunnel);
  EXPECT_EQ(tunnel->feed(bytes({5, 2})), Step::more);
  EXPECT_EQ(taken(*tunnel), bytes({1, 3}) + "ann" + bytes({6}) + "secret");
  EXPECT_EQ(tunnel->feed(bytes({1, 0})), Step::more);
  EXPECT_EQ(taken(*tunnel), bytes({5, 1, 0, 3, 6}) + "a.test" + bytes({0x12, 0x34}));
  EXPECT_EQ(tunnel->feed(success), Step::done);
}

TEST(SocksTunnel, opens_byte_by_byte_and_with_every_kind_of_bound_address) {
  const std::vector<std::string> replies = {
      success,
      bytes({5, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0}),
      bytes({5, 0, 0, 3, 4}) + "name" + bytes({0, 0}),
      bytes({5, 0, 0, 3, 0, 0, 0}),
      bytes({5, 0, 0, 3, 255}) + std::string(255, 'n') + bytes({0, 0}),
  };
  for (const auto& reply : replies) {
    const auto tunnel = socks_to("server.test", "ann:secret@");
    EXPECT_EQ(feed(*tunnel, bytes({5, 2}), 1), Step::more);
    EXPECT_EQ(feed(*tunnel, bytes({1, 0}), 1), Step::more);
    EXPECT_EQ(feed(*tunnel, reply, 1), Step::done);
    EXPECT_NE(taken(*tunnel), "");
  }
}

struct Reply {
  int code;
  std::string says;
  bool definitive;
  bool another;
};

TEST(SocksTunnel, tells_each_reply_where_what_and_what_to_try) {
  const std::vector<Reply> cases = {
      {1, "it failed to connect to server.test:4660 (SOCKS reply 1)", false, true},
      {2, "its rules forbid a connection to server.test:4660 (SOCKS reply 2)", true, false},
      {3, "no route to the network of server.test:4660 (SOCKS reply 3)", false, true},
      {4, "can not reach the host of server.test:4660 (SOCKS reply 4)", false, true},
      {5, "server.test:4660 refused its connection (SOCKS reply 5); is the server running?", false, true},
      {6, "no answer from server.test:4660 (SOCKS reply 6)", false, true},
      {7, "it allows no connections through it (SOCKS reply 7", true, false},
      {8, "does not know this kind of address: server.test:4660 (SOCKS reply 8)", true, true},
      {9, "(SOCKS reply 9), which no standard explains", false, true},
      {255, "(SOCKS reply 255), which no standard explains", false, true},
  };
  for (const auto& one : cases) {
    for (const bool whole : {true, false}) {  // some proxies end the connection behind the code
      const auto tunnel = socks_to("server.test");
      EXPECT_EQ(tunnel->feed(no_method_needed), Step::more);
      const std::string reply = bytes({5, one.code, 0, 1, 0, 0, 0, 0, 0, 0}).substr(0, whole ? 10 : 2);
      EXPECT_EQ(tunnel->feed(reply), Step::failed);
      const Failure& failure = tunnel->failure();
      EXPECT_EQ(failure.phase, Phase::proxy);
      EXPECT_EQ(failure.definitive, one.definitive) << one.code;
      EXPECT_EQ(tunnel->another_address_may_do(), one.another) << one.code;
      EXPECT_EQ(failure.message.rfind("proxy proxy.test:1080: ", 0), 0U) << failure.message;
      EXPECT_NE(failure.message.find(one.says), std::string::npos) << failure.message;
    }
  }
}

TEST(SocksTunnel, tells_that_a_user_and_password_are_wanted) {
  const auto tunnel = socks_to("server.test");
  EXPECT_EQ(tunnel->feed(bytes({5, 0xff})), Step::failed);
  EXPECT_TRUE(tunnel->failure().definitive);
  EXPECT_NE(tunnel->failure().message.find("it wants authentication (SOCKS method 255); give a user"),
            std::string::npos);
}

TEST(SocksTunnel, tells_that_nothing_it_offers_is_taken) {
  const auto tunnel = socks_to("server.test", "ann:secret@");
  EXPECT_EQ(tunnel->feed(bytes({5, 0xff})), Step::failed);
  EXPECT_TRUE(tunnel->failure().definitive);
  EXPECT_EQ(tunnel->failure().message.find("secret"), std::string::npos);
}

TEST(SocksTunnel, whose_user_and_password_are_refused_shows_neither) {
  const auto tunnel = socks_to("server.test", "ann:secret@");
  EXPECT_EQ(tunnel->feed(bytes({5, 2})), Step::more);
  taken(*tunnel);
  EXPECT_EQ(tunnel->feed(bytes({1, 1})), Step::failed);
  EXPECT_TRUE(tunnel->failure().definitive);
  EXPECT_EQ(tunnel->failure().message,
            "proxy proxy.test:1080: it refused the user and password (SOCKS status 1); check those of the "
            "proxy's URL");
}

TEST(SocksTunnel, knows_what_is_no_socks5_proxy) {
  const auto expect_strange = [](const std::vector<std::string>& answers, const std::string& says,
                                 const std::string& userinfo = "") {
    const auto tunnel = socks_to("server.test", userinfo);
    Step step = Step::more;
    for (const auto& answer : answers) {
      EXPECT_EQ(step, Step::more);
      step = tunnel->feed(answer);
    }
    EXPECT_EQ(step, Step::failed) << says;
    EXPECT_NE(tunnel->failure().message.find(says), std::string::npos) << tunnel->failure().message;
    EXPECT_FALSE(tunnel->failure().definitive);
    EXPECT_FALSE(tunnel->another_address_may_do());
  };
  expect_strange({"HTTP/1.0 400 Bad"}, "should the proxy's URL begin with http://?");
  expect_strange({bytes({4})}, "version 4");
  expect_strange({bytes({5, 1})}, "method 1, which was not offered");
  expect_strange({bytes({5, 2})}, "method 2, which was not offered");
  expect_strange({bytes({5, 0, 5})}, "answers what was not asked");
  expect_strange({bytes({5, 2, 1})}, "answers what was not asked", "ann:secret@");
  expect_strange({no_method_needed, bytes({4, 0})}, "version 4");
  expect_strange({no_method_needed, bytes({5, 0, 0, 2, 0})}, "address type 2");
  expect_strange({no_method_needed, success + "x"}, "bytes follow its answer");
  expect_strange({no_method_needed, bytes({5}) + std::string(2000, '\0')}, "too long");
}

// --- Both ------------------------------------------------------------------------------------------------------------

TEST(Tunnels, take_any_bytes_without_end_or_harm) {
  std::mt19937 random(1);
  const std::vector<std::string> begins = {
      "",         "HTTP/1.1 200 ", "HTTP/1.1 407 No\r\nProxy-Authenticate: ",
      bytes({5}), bytes({5, 0}),   bytes({5, 2})};
  std::size_t failed = 0;
  for (int round = 0; round < 3000; ++round) {
    const bool socks = round % 2 == 0;
    const auto tunnel = socks ? socks_to("server.test", "ann:secret@")
                              : connect_to("server.test", "http://ann:secret@proxy.test");
    Step step = tunnel->feed(begins[random() % begins.size()]);
    for (std::size_t fed = 0; step == Step::more && fed < 2 * HttpReply::most_bytes;) {
      std::string some(1 + random() % 40, '\0');
      for (char& byte : some) byte = static_cast<char>(random() % 3 == 0 ? random() % 6 : random());
      step = tunnel->feed(some);
      fed += some.size();
    }
    EXPECT_NE(step, Step::more) << "round " << round;
    if (step != Step::failed) continue;
    ++failed;
    EXPECT_EQ(tunnel->failure().phase, Phase::proxy);
    EXPECT_EQ(tunnel->failure().message.find("secret"), std::string::npos);
    EXPECT_LT(tunnel->failure().message.size(), 300U);
  }
  EXPECT_GT(failed, 2000U);
}

}  // namespace
}  // namespace fastws::net
