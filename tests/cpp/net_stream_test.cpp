// Streams, plain and TLS: much data both ways, waits that are cancelled, and every kind of end.
#include "net/stream.hpp"

#include <gtest/gtest.h>

#include "net_tls_rig.hpp"

namespace fastws::net {
namespace {

using testing::dial;
using testing::House;
using testing::LoopThread;
using testing::Outcome;
using testing::pattern;
using testing::receive;
using testing::Received;
using testing::Server;
using testing::TlsServer;
using testing::to;
using testing::transmit;

constexpr std::size_t much = 10'000'000;

void send_all(int socket, const std::string& bytes) {
  for (std::size_t head = 0; head < bytes.size();) {
    const ssize_t count = ::send(socket, bytes.data() + head, bytes.size() - head, MSG_NOSIGNAL);
    if (count <= 0) return;
    head += static_cast<std::size_t>(count);
  }
}

std::string receive_all(int socket, std::size_t most) {
  std::string bytes(most, '\0');
  std::size_t size = 0;
  while (size < most) {
    const ssize_t count = ::recv(socket, bytes.data() + size, most - size, 0);
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  bytes.resize(size);
  return bytes;
}

/// Keeps both sides' script and result in step.
struct Note {
  std::promise<std::string> text;
  std::string wait() { return text.get_future().get(); }
};

class PlainStream : public ::testing::Test {
 protected:
  std::shared_ptr<Stream> open(const Server& server) {
    return dial(io_, to("ws", "127.0.0.1", server.port())).stream;
  }
  LoopThread io_;
};

TEST_F(PlainStream, receives_much) {
  const Server server([](int socket) { send_all(socket, pattern(much)); });
  const auto stream = open(server);
  const Received received = receive(io_, *stream, much + 1);
  EXPECT_EQ(received.io, Io::end);
  EXPECT_TRUE(received.bytes == pattern(much));
}

TEST_F(PlainStream, sends_much_in_parts) {
  Note got;
  std::promise<void> full;
  const Server server([&](int socket) {
    full.get_future().wait_for(std::chrono::seconds(10));
    got.text.set_value(receive_all(socket, much));
  });
  const auto stream = open(server);
  EXPECT_GT(transmit(io_, *stream, pattern(much), &full), 0);
  EXPECT_TRUE(got.wait() == pattern(much));
}

TEST_F(PlainStream, has_nothing_to_read_at_first) {
  const Server server(testing::read_to_end);
  const auto stream = open(server);
  char byte = 0;
  EXPECT_EQ(stream->read(&byte, 1).io, Io::again);
  EXPECT_FALSE(stream->pending());
  EXPECT_FALSE(testing::wait(io_, *stream, true, 0.1));
  EXPECT_TRUE(testing::wait(io_, *stream, false));
}

TEST_F(PlainStream, tells_whether_it_had_less_than_was_asked_for) {
  const Server server([](int socket) {
    send_all(socket, "0123456789");
    testing::read_to_end(socket);
  });
  const auto stream = open(server);
  ASSERT_TRUE(testing::wait(io_, *stream, true));
  char bytes[8];
  const Moved first = stream->read(bytes, sizeof bytes);
  EXPECT_EQ(first.size, 8u);
  EXPECT_TRUE(first.more);
  const Moved second = stream->read(bytes, sizeof bytes);
  EXPECT_EQ(second.size, 2u);
  EXPECT_FALSE(second.more);
}

TEST_F(PlainStream, waits_again_after_a_cancelled_wait) {
  std::promise<void> go;
  const Server server([&](int socket) {
    go.get_future().wait();
    send_all(socket, "late");
    testing::read_to_end(socket);
  });
  const auto stream = open(server);
  EXPECT_FALSE(testing::wait(io_, *stream, true, 0.05));
  go.set_value();
  EXPECT_EQ(receive(io_, *stream, 4).bytes, "late");
}

/// A server that resets the connection once it got a byte: not before the client knows that it is connected.
void reset_after_a_byte(int socket) {
  char byte = 0;
  ::recv(socket, &byte, 1, 0);
  const linger now{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

TEST_F(PlainStream, tells_a_reset_as_an_error) {
  const Server server(reset_after_a_byte);
  const auto stream = open(server);
  ASSERT_EQ(stream->write("x", 1).io, Io::done);
  EXPECT_EQ(receive(io_, *stream, 1).io, Io::error);
  EXPECT_NE(stream->error().find("reset by peer"), std::string::npos) << stream->error();
}

TEST_F(PlainStream, writing_to_one_who_left_is_an_error_and_no_signal) {
  const Server server(reset_after_a_byte);
  const auto stream = open(server);
  ASSERT_EQ(stream->write("x", 1).io, Io::done);
  ASSERT_EQ(receive(io_, *stream, 1).io, Io::error);  // the reset is here
  EXPECT_EQ(stream->write("x", 1).io, Io::error);     // SIGPIPE would end this process
  EXPECT_NE(stream->error().find("Broken pipe"), std::string::npos) << stream->error();
}

TEST_F(PlainStream, closing_shows_the_peer_an_end) {
  Note got;
  const Server server([&](int socket) {
    char byte = 0;
    got.text.set_value(std::to_string(::recv(socket, &byte, 1, 0)));
    testing::read_to_end(socket);
  });
  const auto stream = open(server);
  stream->close();
  stream->close();
  EXPECT_EQ(got.wait(), "0");
  char byte = 0;
  EXPECT_EQ(stream->read(&byte, 1).io, Io::error);
  EXPECT_EQ(stream->write(&byte, 1).io, Io::error);
  EXPECT_EQ(stream->error(), "the stream is closed");
}

TEST_F(PlainStream, resetting_shows_the_peer_a_reset_at_once) {
  Note got;
  const Server server([&](int socket) {
    char byte = 0;
    const ssize_t count = ::recv(socket, &byte, 1, 0);
    got.text.set_value(count < 0 ? std::strerror(errno) : "no error");
  });
  const auto stream = open(server);
  stream->reset();
  EXPECT_EQ(got.wait(), "Connection reset by peer");
  stream->close();
}

TEST_F(PlainStream, may_be_closed_while_waited_for) {
  const Server server(testing::read_to_end);
  auto stream = open(server);
  std::atomic<int> called{0};
  io_.run([&] {
    stream->wait_readable([&] { ++called; });
    stream->cancel_waits();
    stream->close();
  });
  stream.reset();
  testing::pause(0.05);
  EXPECT_EQ(called, 0);
}

TEST_F(PlainStream, destroyed_while_waited_for_calls_nobody) {
  const Server server(testing::read_to_end);
  auto stream = open(server);
  const auto held = std::make_shared<std::atomic<int>>(0);
  io_.run([&] { stream->wait_readable([held] { ++*held; }); });
  stream.reset();
  io_.run([] {});
  EXPECT_EQ(*held, 0);
  EXPECT_TRUE(testing::becomes_true([&] { return held.use_count() == 1; }));  // nor is it kept
}

TEST_F(PlainStream, closed_on_another_thread_wakes_the_loop) {
  const Server server(testing::read_to_end);
  const auto stream = open(server);
  std::promise<void> woken;
  io_.run([&] { stream->wait_readable([&] { woken.set_value(); }); });
  stream->close();  // on this thread; the server ends its side, too
  EXPECT_EQ(woken.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
}

TEST_F(PlainStream, may_be_destroyed_by_what_it_calls) {
  const Server server(testing::read_to_end);
  DialOptions options = to("ws", "127.0.0.1", server.port());
  std::promise<void> gone;
  std::unique_ptr<Stream> stream;
  std::unique_ptr<Dial> dialing;
  io_.run([&] {
    dialing = std::make_unique<Dial>(io_.loop(), options);
    dialing->start(monotonic_now() + 5.0, [&](std::unique_ptr<Stream> made, std::optional<Failure>) {
      stream = std::move(made);
      dialing.reset();
      stream->wait_writable([&] {
        stream.reset();
        gone.set_value();
      });
    });
  });
  EXPECT_EQ(gone.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
}

// --- TLS -------------------------------------------------------------------------------------------------------------

class TlsStreams : public ::testing::TestWithParam<int> {
 protected:
  std::unique_ptr<TlsServer> serve(TlsServer::Script script) {
    return std::make_unique<TlsServer>(house_.server, std::move(script), "127.0.0.1", GetParam());
  }
  std::shared_ptr<Stream> open(const TlsServer& server) {
    DialOptions options = to("wss", "127.0.0.1", server.port());
    options.tls = house_.trusted();
    Outcome outcome = dial(io_, options);
    EXPECT_TRUE(outcome.stream) << outcome.message();
    return outcome.stream;
  }
  LoopThread io_;
  House house_;
};

INSTANTIATE_TEST_SUITE_P(Versions, TlsStreams, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& which) { return which.param == TLS1_2_VERSION ? "v1_2" : "v1_3"; });

void send_tls(SSL* session, const std::string& bytes) {
  for (std::size_t head = 0; head < bytes.size();) {
    const int count = SSL_write(session, bytes.data() + head, static_cast<int>(bytes.size() - head));
    if (count <= 0) return;
    head += static_cast<std::size_t>(count);
  }
}

std::string receive_tls(SSL* session, std::size_t most) {
  std::string bytes(most, '\0');
  std::size_t size = 0;
  while (size < most) {
    const int count = SSL_read(session, bytes.data() + size, static_cast<int>(most - size));
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  bytes.resize(size);
  return bytes;
}

TEST_P(TlsStreams, receive_much) {
  const auto server = serve([](SSL* session, int) {
    send_tls(session, pattern(much));
    SSL_shutdown(session);
  });
  const auto stream = open(*server);
  const Received received = receive(io_, *stream, much + 1);
  EXPECT_EQ(received.io, Io::end);
  EXPECT_TRUE(received.bytes == pattern(much));
}

TEST_P(TlsStreams, receive_much_in_small_reads) {
  const auto server = serve([](SSL* session, int) {
    send_tls(session, pattern(much / 10));
    SSL_shutdown(session);
  });
  const auto stream = open(*server);
  const Received received = receive(io_, *stream, much, 777);
  EXPECT_EQ(received.io, Io::end);
  EXPECT_TRUE(received.bytes == pattern(much / 10));
}

TEST_P(TlsStreams, send_much_in_parts) {
  Note got;
  std::promise<void> full;
  const auto server = serve([&](SSL* session, int) {
    full.get_future().wait_for(std::chrono::seconds(10));
    got.text.set_value(receive_tls(session, much));
  });
  const auto stream = open(*server);
  EXPECT_GT(transmit(io_, *stream, pattern(much), &full), 0);
  EXPECT_TRUE(got.wait() == pattern(much));
}

TEST_P(TlsStreams, tell_that_more_is_inside_when_the_buffer_was_small) {
  const auto server = serve([](SSL* session, int socket) {
    send_tls(session, "0123456789");
    testing::read_to_end(socket);
  });
  const auto stream = open(*server);
  EXPECT_EQ(receive(io_, *stream, 4, 4).bytes, "0123");
  EXPECT_TRUE(stream->pending());
  char bytes[100];
  Moved moved = stream->read(bytes, 4);
  EXPECT_TRUE(moved.more);
  moved = stream->read(bytes, sizeof bytes);
  EXPECT_EQ(std::string(bytes, moved.size), "89");
  EXPECT_FALSE(moved.more);
  EXPECT_FALSE(stream->pending());
}

TEST_P(TlsStreams, hand_on_the_data_before_an_end_that_came_with_it) {
  Note sent;
  const auto server = serve([&](SSL* session, int) {
    send_tls(session, "the last words");
    SSL_shutdown(session);
    sent.text.set_value("");
  });
  const auto stream = open(*server);
  sent.wait();
  ASSERT_TRUE(testing::wait(io_, *stream, true));
  const Received received = receive(io_, *stream, 1000);
  EXPECT_EQ(received.bytes, "the last words");
  EXPECT_EQ(received.io, Io::end);
}

TEST_P(TlsStreams, take_a_truncation_for_an_end_again_and_again) {
  const auto server = serve([](SSL* session, int) { send_tls(session, "half a"); });  // and no close_notify
  const auto stream = open(*server);
  const Received received = receive(io_, *stream, 1000);
  EXPECT_EQ(received.bytes, "half a");
  EXPECT_EQ(received.io, Io::end);
  char byte = 0;
  EXPECT_EQ(stream->read(&byte, 1).io, Io::end);
}

TEST_P(TlsStreams, tell_a_reset_as_an_error) {
  const auto server = serve([](SSL*, int socket) {
    const linger now{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  });
  const auto stream = open(*server);
  EXPECT_EQ(receive(io_, *stream, 1).io, Io::error);
  EXPECT_NE(stream->error().find("reset by peer"), std::string::npos) << stream->error();
  EXPECT_EQ(stream->write("x", 1).io, Io::error);  // and no SIGPIPE
}

TEST_P(TlsStreams, tell_records_of_nonsense_as_an_error) {
  const auto server = serve([](SSL*, int socket) {
    send_all(socket, std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
    testing::read_to_end(socket);
  });
  const auto stream = open(*server);
  EXPECT_EQ(receive(io_, *stream, 1).io, Io::error);
  EXPECT_FALSE(stream->error().empty());
  char byte = 0;
  EXPECT_EQ(stream->read(&byte, 1).io, Io::error);
}

TEST_P(TlsStreams, say_goodbye_when_closed) {
  Note got;
  const auto server = serve([&](SSL* session, int) {
    char byte = 0;
    const int count = SSL_read(session, &byte, 1);
    got.text.set_value(SSL_get_error(session, count) == SSL_ERROR_ZERO_RETURN ? "close_notify"
                                                                              : "no goodbye");
  });
  const auto stream = open(*server);
  stream->close();
  stream->close();
  EXPECT_EQ(got.wait(), "close_notify");
}

TEST_P(TlsStreams, say_no_goodbye_when_reset) {
  Note got;
  const auto server = serve([&](SSL* session, int) {
    send_tls(session, "!");
    char byte = 0;
    const int count = SSL_read(session, &byte, 1);
    got.text.set_value(SSL_get_error(session, count) == SSL_ERROR_SYSCALL ? std::strerror(errno)
                                                                          : "another end");
  });
  const auto stream = open(*server);
  ASSERT_EQ(receive(io_, *stream, 1).bytes, "!");  // the server's handshake is over, too
  stream->reset();
  EXPECT_EQ(got.wait(), "Connection reset by peer");
}

}  // namespace
}  // namespace fastws::net
