// TLS: who is believed, who is refused, and what the refusal says.
#include <gtest/gtest.h>

#include "net_tls_rig.hpp"

namespace fastws::net {
namespace {

using testing::Asked;
using testing::Certificate;
using testing::File;
using testing::House;
using testing::LoopThread;
using testing::Names;
using testing::Outcome;
using testing::Server;
using testing::swallow;
using testing::TlsServer;
using testing::to;

class Verification : public ::testing::Test {
 protected:
  Outcome dial(const std::string& host, std::uint16_t port, const TlsOptions& tls) {
    DialOptions options = to("wss", host, port);
    options.tls = tls;
    return testing::dial(io_, options);
  }
  /// The client may be done with its handshake before the server is.
  static bool was_asked(const TlsServer& server, const std::string& name) {
    return testing::becomes_true([&] { return server.asked_name() == name; });
  }
  /// A certificate that is refused is so for good: no retry will change it.
  static void expect_refused(const Outcome& outcome, const std::string& reason, const std::string& remedy) {
    EXPECT_EQ(outcome.phase(), Phase::tls);
    EXPECT_FALSE(outcome.stream);
    EXPECT_TRUE(outcome.failure && outcome.failure->definitive);
    EXPECT_TRUE(outcome.says(reason)) << outcome.message();
    EXPECT_TRUE(outcome.says(remedy)) << outcome.message();
  }

  LoopThread io_;
  House house_;
};

TEST_F(Verification, of_a_good_certificate_by_name) {
  const TlsServer server(house_.server, swallow);
  const Outcome outcome = dial("localhost", server.port(), house_.trusted());
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(outcome.stream->tls_version(), "TLSv1.3");
}

TEST_F(Verification, of_a_good_certificate_by_ipv4_address) {
  const TlsServer server(house_.server, swallow);
  const Outcome outcome = dial("127.0.0.1", server.port(), house_.trusted());
  EXPECT_TRUE(outcome.stream) << outcome.message();
}

TEST_F(Verification, of_a_good_certificate_by_ipv6_address) {
  const TlsServer server(house_.server, swallow, "::1");
  const Outcome outcome = dial("[::1]", server.port(), house_.trusted());
  EXPECT_TRUE(outcome.stream) << outcome.message();
}

TEST_F(Verification, of_a_wildcard) {
  const TlsServer server(house_.server, swallow);
  const Names names({"127.0.0.1"});
  EXPECT_TRUE(dial("a.good.test", server.port(), house_.trusted()).stream);
  expect_refused(dial("a.b.good.test", server.port(), house_.trusted()), "hostname mismatch",
                 "a.b.good.test");
}

TEST_F(Verification, takes_a_name_with_the_roots_dot_for_the_same) {
  const TlsServer server(house_.server, swallow);
  const Names names({"127.0.0.1"});
  const Outcome outcome = dial("a.good.test.", server.port(), house_.trusted());
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_TRUE(was_asked(server, "a.good.test"));
}

TEST_F(Verification, refuses_a_certificate_for_another_name) {
  const TlsServer server(house_.server, swallow);
  const Names names({"127.0.0.1"});
  expect_refused(dial("other.test", server.port(), house_.trusted()), "hostname mismatch",
                 "it is not for other.test: check the URL, or give Tls(server_name=...)");
}

TEST_F(Verification, refuses_a_certificate_for_another_address) {
  const Certificate other(Asked{"other", "IP:127.0.0.9,DNS:localhost"}, &house_.authority);
  const TlsServer server(other, swallow);
  expect_refused(dial("127.0.0.1", server.port(), house_.trusted()), "IP address mismatch", "127.0.0.1");
}

TEST_F(Verification, refuses_an_expired_certificate) {
  const Certificate old(Asked{"old", "DNS:localhost", false, -7200, -3600}, &house_.authority);
  const TlsServer server(old, swallow);
  expect_refused(dial("localhost", server.port(), house_.trusted()), "has expired", "must renew it");
}

TEST_F(Verification, refuses_a_certificate_of_the_future) {
  const Certificate early(Asked{"early", "DNS:localhost", false, 3600, 7200}, &house_.authority);
  const TlsServer server(early, swallow);
  expect_refused(dial("localhost", server.port(), house_.trusted()), "not yet valid", "clock");
}

TEST_F(Verification, refuses_an_unknown_authority) {
  const House stranger("a stranger");
  const TlsServer server(stranger.server, swallow);
  expect_refused(dial("localhost", server.port(), house_.trusted()), "unable to get local issuer", "ca_file");
}

TEST_F(Verification, refuses_an_authority_that_only_has_the_name_of_ours) {
  const House impostor;
  const TlsServer server(impostor.server, swallow);
  expect_refused(dial("localhost", server.port(), house_.trusted()), "signature failure", "ca_file");
}

TEST_F(Verification, refuses_an_unknown_authority_by_the_systems_trust) {
  const TlsServer server(house_.server, swallow);
  expect_refused(dial("localhost", server.port(), TlsOptions{}), "unable to get local issuer", "ca_file");
}

TEST_F(Verification, refuses_a_self_signed_certificate) {
  const Certificate lonely(Asked{"lonely", "DNS:localhost"});
  const TlsServer server(lonely, swallow);
  expect_refused(dial("localhost", server.port(), house_.trusted()), "self-signed", "ca_file");
}

TEST_F(Verification, can_be_switched_off) {
  const Certificate lonely(Asked{"lonely", "DNS:elsewhere", false, -7200, -3600});
  const TlsServer server(lonely, swallow);
  TlsOptions options;
  options.verify = false;
  const Outcome outcome = dial("localhost", server.port(), options);
  EXPECT_TRUE(outcome.stream) << outcome.message();
}

TEST_F(Verification, switched_off_for_one_is_on_for_the_next) {
  const TlsServer server(house_.server, swallow);
  TlsOptions options;
  options.verify = false;
  EXPECT_TRUE(dial("localhost", server.port(), options).stream);
  options.verify = true;
  EXPECT_FALSE(dial("localhost", server.port(), options).stream);
}

TEST_F(Verification, uses_the_given_server_name) {
  const TlsServer server(house_.server, swallow);
  TlsOptions options = house_.trusted();
  options.server_name = "a.good.test";
  ASSERT_TRUE(dial("127.0.0.1", server.port(), options).stream);
  EXPECT_TRUE(was_asked(server, "a.good.test"));
  options.server_name = "other.test";
  expect_refused(dial("localhost", server.port(), options), "hostname mismatch", "other.test");
}

TEST_F(Verification, asks_by_name_but_never_by_address) {
  const TlsServer server(house_.server, swallow);
  ASSERT_TRUE(dial("localhost", server.port(), house_.trusted()).stream);
  EXPECT_TRUE(was_asked(server, "localhost"));
  ASSERT_TRUE(dial("127.0.0.1", server.port(), house_.trusted()).stream);
  EXPECT_TRUE(was_asked(server, "(none)"));
}

TEST_F(Verification, by_a_file_of_authorities) {
  const TlsServer server(house_.server, swallow);
  const File file(house_.authority.pem());
  TlsOptions options;
  options.ca_file = file.path();
  const Outcome outcome = dial("localhost", server.port(), options);
  EXPECT_TRUE(outcome.stream) << outcome.message();
}

TEST_F(Verification, by_the_second_of_several_authorities) {
  const TlsServer server(house_.server, swallow);
  TlsOptions options;
  options.ca_data = House("another").authority.pem() + house_.authority.pem();
  const Outcome outcome = dial("localhost", server.port(), options);
  EXPECT_TRUE(outcome.stream) << outcome.message();
}

TEST_F(Verification, shows_the_clients_certificate) {
  const Certificate client(Asked{"client", ""}, &house_.authority);
  const File certificate(client.pem());
  const File key(client.key_pem("open sesame"));
  const TlsServer server(house_.server, swallow, "127.0.0.1", TLS1_2_VERSION, &house_.authority);
  TlsOptions options = house_.trusted();
  options.cert_file = certificate.path();
  options.key_file = key.path();
  options.key_password = "open sesame";
  const Outcome outcome = dial("localhost", server.port(), options);
  EXPECT_TRUE(outcome.stream) << outcome.message();
}

TEST_F(Verification, by_the_server_of_a_missing_client_certificate_is_told) {
  const TlsServer server(house_.server, swallow, "127.0.0.1", TLS1_2_VERSION, &house_.authority);
  const Outcome outcome = dial("localhost", server.port(), house_.trusted());
  EXPECT_EQ(outcome.phase(), Phase::tls);
  EXPECT_TRUE(outcome.says("handshake failure")) << outcome.message();
  EXPECT_TRUE(outcome.says("give Tls(cert_file=..., key_file=...)")) << outcome.message();
  EXPECT_FALSE(outcome.failure->definitive);  // what the server demands may change
}

TEST_F(Verification, by_the_server_of_a_missing_client_certificate_is_told_at_the_first_read_of_tls_1_3) {
  const TlsServer server(house_.server, swallow, "127.0.0.1", TLS1_3_VERSION, &house_.authority);
  const Outcome outcome = dial("localhost", server.port(), house_.trusted());
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(outcome.stream->refusal(), "");
  EXPECT_EQ(testing::receive(io_, *outcome.stream, 1).io, Io::error);
  const std::string refusal = outcome.stream->refusal();
  EXPECT_EQ(refusal.find("localhost:" + std::to_string(server.port()) + ": the server refused"), 0U)
      << refusal;
  EXPECT_NE(refusal.find("give Tls(cert_file=..., key_file=...)"), std::string::npos) << refusal;
}

TEST_F(Verification, takes_tls_1_2) {
  const TlsServer server(house_.server, swallow, "127.0.0.1", TLS1_2_VERSION);
  const Outcome outcome = dial("localhost", server.port(), house_.trusted());
  ASSERT_TRUE(outcome.stream) << outcome.message();
  EXPECT_EQ(outcome.stream->tls_version(), "TLSv1.2");
}

TEST_F(Verification, refuses_less_than_the_lowest_version) {
  const TlsServer server(house_.server, swallow, "127.0.0.1", TLS1_2_VERSION);
  TlsOptions options = house_.trusted();
  options.min_version = "1.3";
  const Outcome outcome = dial("localhost", server.port(), options);
  EXPECT_EQ(outcome.phase(), Phase::tls);
  EXPECT_TRUE(outcome.says("protocol version")) << outcome.message();
  EXPECT_FALSE(outcome.failure->definitive);
}

TEST_F(Verification, with_options_that_can_not_be_used_fails_for_good) {
  const TlsServer server(house_.server, swallow);
  TlsOptions options;
  options.ca_file = "/no/such/file.pem";
  const Outcome outcome = dial("localhost", server.port(), options);
  EXPECT_EQ(outcome.phase(), Phase::tls);
  EXPECT_TRUE(outcome.failure && outcome.failure->definitive);
  EXPECT_TRUE(outcome.says("ca_file")) << outcome.message();
}

// --- Servers that do not speak TLS -----------------------------------------------------------------------------------

TEST_F(Verification, meeting_http_says_that_it_is_no_tls) {
  const Server server([](int socket) {
    char hello[4096];
    ::recv(socket, hello, sizeof hello, 0);
    const std::string answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
    testing::read_to_end(socket);
  });
  const Outcome outcome = dial("localhost", server.port(), house_.trusted());
  EXPECT_EQ(outcome.phase(), Phase::tls);
  EXPECT_TRUE(outcome.says("should the URL begin with ws://?")) << outcome.message();
}

TEST_F(Verification, meeting_an_end_says_who_ended_it) {
  const Server server([](int socket) {
    char hello[4096];
    ::recv(socket, hello, sizeof hello, 0);
  });
  const Outcome outcome = dial("localhost", server.port(), house_.trusted());
  EXPECT_EQ(outcome.phase(), Phase::tls);
  EXPECT_TRUE(outcome.says("the server ended the connection")) << outcome.message();
  EXPECT_FALSE(outcome.failure->definitive);
}

TEST_F(Verification, meeting_a_reset_says_so) {
  const Server server([](int socket) {
    char hello[1];
    ::recv(socket, hello, 1, 0);
    const linger now{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  });
  const Outcome outcome = dial("localhost", server.port(), house_.trusted());
  EXPECT_EQ(outcome.phase(), Phase::tls);
  EXPECT_TRUE(outcome.says("reset by peer")) << outcome.message();
  EXPECT_FALSE(outcome.failure->definitive);
}

TEST_F(Verification, meeting_silence_ends_at_the_deadline) {
  const testing::Listener silent;
  DialOptions options = to("wss", "127.0.0.1", silent.port());
  options.tls = house_.trusted();
  const Outcome outcome = testing::dial(io_, options, 0.4);
  EXPECT_EQ(outcome.phase(), Phase::timeout);
  EXPECT_TRUE(outcome.says("the TLS handshake was not done within 0.4")) << outcome.message();
  EXPECT_LT(outcome.seconds, 2.0);
}

}  // namespace
}  // namespace fastws::net
