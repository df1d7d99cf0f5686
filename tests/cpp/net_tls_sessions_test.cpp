// Sessions of TLS that are resumed: for whom, how often, how long, and for whom never.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "net/tls_context.hpp"
#include "net/tls_sessions.hpp"
#include "net_tls_rig.hpp"

namespace fastws::net {
namespace {

using testing::Asked;
using testing::Certificate;
using testing::House;
using testing::LoopThread;
using testing::Names;
using testing::Outcome;
using testing::TlsServer;
using testing::to;

enum class Kind { ticket_1_3, ticket_1_2, id_1_2 };

/// What a server notes of its handshakes.
class Noted {
 public:
  void add(bool resumed) {
    const std::lock_guard<std::mutex> lock(mutex_);
    resumed_.push_back(resumed);
  }
  [[nodiscard]] std::vector<bool> resumed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return resumed_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<bool> resumed_;
};

class Sessions : public ::testing::Test {
 protected:
  /// Says one byte and a whole goodbye, so that it keeps what it has in its own cache.
  std::unique_ptr<TlsServer> server(const Certificate& certificate, Kind kind,
                                    const TlsServer::Script& then = nullptr) {
    const auto script = [this, then](SSL* session, int socket) {
      noted_.add(SSL_session_reused(session) == 1);
      SSL_write(session, "!", 1);
      if (then) return then(session, socket);
      testing::swallow(session, socket);
      SSL_shutdown(session);
    };
    const int most = kind == Kind::ticket_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    return std::make_unique<TlsServer>(
        certificate, script, "127.0.0.1", most, nullptr, [kind](SSL_CTX* context) {
          SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("test"), 4);
          SSL_CTX_set_num_tickets(context, 1);
          if (kind == Kind::id_1_2) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        });
  }
  /// Connects, reads the byte (and the tickets before it), and leaves with a goodbye.
  Outcome visit(std::uint16_t port, const TlsOptions& tls, const std::string& host = "localhost") {
    DialOptions options = to("wss", host, port);
    options.tls = tls;
    Outcome outcome = testing::dial(io_, options);
    if (outcome.stream) {
      EXPECT_EQ(testing::receive(io_, *outcome.stream, 1).bytes, "!");
      io_.run([&] { outcome.stream->close(); });
    }
    return outcome;
  }
  std::size_t kept(const TlsOptions& options) {
    SSL_CTX* context = tls_context(options);
    const std::size_t count = kept_sessions(context);
    SSL_CTX_free(context);
    return count;
  }

  LoopThread io_;
  House house_;
  Noted noted_;
};

class EverySession : public Sessions, public ::testing::WithParamInterface<Kind> {};

TEST_P(EverySession, is_resumed_by_the_next_connection) {
  const auto serving = server(house_.server, GetParam());
  for (int count = 0; count < 4; ++count) ASSERT_TRUE(visit(serving->port(), house_.trusted()).stream);
  EXPECT_EQ(noted_.resumed(), (std::vector<bool>{false, true, true, true}));
  EXPECT_EQ(kept(house_.trusted()), 1U);
}

TEST_P(EverySession, is_for_its_own_port_alone) {
  const auto first = server(house_.server, GetParam());
  const auto second = server(house_.server, GetParam());
  visit(first->port(), house_.trusted());
  visit(second->port(), house_.trusted());
  EXPECT_EQ(noted_.resumed(), (std::vector<bool>{false, false}));
  EXPECT_EQ(kept(house_.trusted()), 2U);
}

TEST_P(EverySession, is_for_its_own_host_alone) {
  const auto serving = server(house_.server, GetParam());
  const Names names({"127.0.0.1"});
  for (const char* host : {"a.good.test", "b.good.test", "a.good.test"}) {
    visit(serving->port(), house_.trusted(), host);
  }
  EXPECT_EQ(noted_.resumed(), (std::vector<bool>{false, false, true}));
}

TEST_P(EverySession, is_for_its_own_options_alone) {
  const auto serving = server(house_.server, GetParam());
  TlsOptions unverified = house_.trusted();
  unverified.verify = false;
  TlsOptions silent = house_.trusted();
  silent.alpn.clear();
  for (const TlsOptions& options : {unverified, house_.trusted(), silent, unverified}) {
    visit(serving->port(), options);
  }
  EXPECT_EQ(noted_.resumed(), (std::vector<bool>{false, false, false, true}));
}

TEST_P(EverySession, ends_with_the_certificate_that_it_began_with) {
  const Certificate brief(Asked{"brief", "DNS:localhost", false, -3600, 2}, &house_.authority);
  const auto serving = server(brief, GetParam());
  ASSERT_TRUE(visit(serving->port(), house_.trusted()).stream);
  testing::pause(3.1);  // dates have whole seconds
  const Outcome late = visit(serving->port(), house_.trusted());
  EXPECT_FALSE(late.stream);
  EXPECT_TRUE(late.says("has expired")) << late.message();
}

TEST_P(EverySession, is_forgotten_after_an_alert) {
  // Garbage instead of a record: our side answers with a fatal alert.
  const auto serving = server(house_.server, GetParam(), [](SSL*, int socket) {
    const std::string garbage(64, 'x');
    ::send(socket, garbage.data(), garbage.size(), MSG_NOSIGNAL);
    testing::read_to_end(socket);
  });
  DialOptions options = to("wss", "localhost", serving->port());
  options.tls = house_.trusted();
  Outcome outcome = testing::dial(io_, options);
  ASSERT_TRUE(outcome.stream);
  EXPECT_EQ(testing::receive(io_, *outcome.stream, 100).io, Io::error);
  EXPECT_EQ(kept(house_.trusted()), 0U);
}

TEST_P(EverySession, survives_an_end_without_goodbye) {
  const auto serving = server(house_.server, GetParam(), [](SSL* session, int) {
    SSL_set_quiet_shutdown(session, 1);  // only the client is to see a broken end
    SSL_shutdown(session);
  });
  DialOptions options = to("wss", "localhost", serving->port());
  options.tls = house_.trusted();
  for (int count = 0; count < 3; ++count) {
    Outcome outcome = testing::dial(io_, options);
    ASSERT_TRUE(outcome.stream);
    EXPECT_EQ(testing::receive(io_, *outcome.stream, 100).io, Io::end);
  }
  EXPECT_EQ(noted_.resumed(), (std::vector<bool>{false, true, true}));
}

TEST_P(EverySession, of_an_attempt_that_failed_is_not_offered_again) {
  const auto serving = server(house_.server, GetParam());
  const TlsOptions options = house_.trusted();
  visit(serving->port(), options);
  ASSERT_EQ(kept(options), 1U);
  SSL_CTX* context = tls_context(options);
  SSL* const connection = SSL_new(context);
  const std::string peer = "localhost:" + std::to_string(serving->port()) + " as localhost";
  offer_session(connection, peer);
  EXPECT_NE(SSL_get_session(connection), nullptr);
  EXPECT_EQ(kept_sessions(context), 0U);
  SSL_free(connection);
  SSL_CTX_free(context);
  visit(serving->port(), options);
  visit(serving->port(), options);
  EXPECT_EQ(noted_.resumed(), (std::vector<bool>{false, false, true}));
}

INSTANTIATE_TEST_SUITE_P(of, EverySession,
                         ::testing::Values(Kind::ticket_1_3, Kind::ticket_1_2, Kind::id_1_2));

TEST_F(Sessions, of_tls_1_3_are_offered_once) {
  const auto serving = server(house_.server, Kind::ticket_1_3);
  visit(serving->port(), house_.trusted());
  SSL_CTX* context = tls_context(house_.trusted());
  SSL* const first = SSL_new(context);
  SSL* const second = SSL_new(context);
  const std::string peer = "localhost:" + std::to_string(serving->port()) + " as localhost";
  offer_session(first, peer);
  offer_session(second, peer);
  EXPECT_NE(SSL_get_session(first), nullptr);
  EXPECT_EQ(SSL_get_session(second), nullptr);
  SSL_free(first);
  SSL_free(second);
  SSL_CTX_free(context);
}

TEST_F(Sessions, that_are_a_day_old_are_not_offered) {
  const auto serving = server(house_.server, Kind::ticket_1_2);
  visit(serving->port(), house_.trusted());
  const std::string peer = "localhost:" + std::to_string(serving->port()) + " as localhost";
  SSL_CTX* context = tls_context(house_.trusted());
  for (const long age : {23L * 3600, 25L * 3600, -10L}) {
    SSL* const connection = SSL_new(context);
    SSL* const later = SSL_new(context);
    offer_session(connection, peer);
    SSL_SESSION* session = SSL_get_session(connection);
    ASSERT_NE(session, nullptr);
    SSL_SESSION_set_time(session, static_cast<long>(std::time(nullptr)) - age);
    SSL_CTX_sess_get_new_cb(context)(connection, session);  // as when it comes from the server
    offer_session(later, peer);
    EXPECT_EQ(SSL_get_session(later) != nullptr, age == 23L * 3600) << age;
    SSL_SESSION_set_time(session, static_cast<long>(std::time(nullptr)));
    SSL_CTX_sess_get_new_cb(context)(connection, session);
    SSL_free(connection);
    SSL_free(later);
  }
  SSL_CTX_free(context);
}

// reconnect-spec R19: a session used by both would tell an observer that they belong together, and spoil the other's ticket.
TEST_F(Sessions, are_not_shared_with_a_forks_child) {
  SSL_CTX* before = tls_context(house_.trusted());
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(10);
    forget_tls_contexts_after_fork();
    SSL_CTX* after = tls_context(house_.trusted());
    ::_exit(after != before && kept_sessions(after) == 0 && after == tls_context(house_.trusted()) ? 42 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 42);
  SSL_CTX* still = tls_context(house_.trusted());
  EXPECT_EQ(still, before);
  SSL_CTX_free(still);
  SSL_CTX_free(before);
}

TEST_F(Sessions, are_kept_of_a_bounded_number_of_peers) {
  const auto serving = server(house_.server, Kind::ticket_1_3);
  visit(serving->port(), house_.trusted());
  SSL_CTX* context = tls_context(house_.trusted());
  SSL* const connection = SSL_new(context);
  offer_session(connection, "localhost:" + std::to_string(serving->port()) + " as localhost");
  SSL_SESSION* session = SSL_get_session(connection);
  ASSERT_NE(session, nullptr);
  const auto has = [context](std::size_t number) {
    SSL* const asking = SSL_new(context);
    offer_session(asking, "peer " + std::to_string(number));
    const bool found = SSL_get_session(asking) != nullptr;
    SSL_free(asking);
    return found;
  };
  for (std::size_t number = 0; number < most_sessions + 10; ++number) {
    SSL* const one = SSL_new(context);
    offer_session(one, "peer " + std::to_string(number));
    SSL_CTX_sess_get_new_cb(context)(one, session);
    SSL_free(one);
  }
  EXPECT_EQ(kept_sessions(context), most_sessions);
  EXPECT_FALSE(has(0));
  EXPECT_FALSE(has(9));
  EXPECT_TRUE(has(10));
  EXPECT_TRUE(has(most_sessions + 9));
  SSL_free(connection);
  SSL_CTX_free(context);
}

}  // namespace
}  // namespace fastws::net
