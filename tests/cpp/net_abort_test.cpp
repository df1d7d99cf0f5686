// Dials given up at every stage: nobody is called, nothing is left open, nothing waits. And the descriptors of a fork.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "net_tls_rig.hpp"

namespace fastws::net {
namespace {

using testing::becomes_true;
using testing::House;
using testing::Listener;
using testing::LoopThread;
using testing::Names;
using testing::open_descriptors;
using testing::pause;
using testing::Server;
using testing::TlsServer;
using testing::to;

class Aborts : public ::testing::Test {
 protected:
  void SetUp() override { before_ = open_descriptors(); }
  void TearDown() override {
    io_.run([this] { dial_.reset(); });
  }

  void start(const DialOptions& options) {
    started_ = monotonic_now();
    io_.run([&] {
      dial_ = std::make_unique<Dial>(io_.loop(), options);
      dial_->start(started_ + most, [this](std::unique_ptr<Stream>, std::optional<Failure>) { ++called_; });
    });
  }
  /// Gives up after `seconds`, by abort() or by destruction, and expects nothing of it to be left.
  void expect_nothing_left(double seconds, bool destroy) {
    pause(seconds);
    ASSERT_EQ(called_, 0);
    const double began = monotonic_now();
    io_.run([&] { destroy ? dial_.reset() : dial_->abort(); });
    EXPECT_LT(monotonic_now() - began, 0.4);
    EXPECT_EQ(open_descriptors(), before_);
    pause(most - (monotonic_now() - started_));  // the deadline passes
    io_.run([] {});
    EXPECT_EQ(called_, 0);
  }

  LoopThread io_;
  static constexpr double most = 1.5;  // seconds until the deadline
  double started_ = 0.0;
  std::size_t before_ = 0;
  std::atomic<int> called_{0};
  std::unique_ptr<Dial> dial_;
};

TEST_F(Aborts, before_it_was_started) {
  io_.run([this] { dial_ = std::make_unique<Dial>(io_.loop(), to("ws://127.0.0.1/")); });
  expect_nothing_left(0.0, false);
}

TEST_F(Aborts, at_once) {
  const Server server(testing::read_to_end);
  before_ = open_descriptors();
  io_.run([&] {
    Dial dial(io_.loop(), to("ws", "127.0.0.1", server.port()));
    dial.start(monotonic_now() + 5.0, [this](std::unique_ptr<Stream>, std::optional<Failure>) { ++called_; });
  });
  io_.run([] {});
  EXPECT_EQ(called_, 0);
  EXPECT_EQ(open_descriptors(), before_);
}

TEST_F(Aborts, while_the_name_is_looked_up) {
  for (const bool destroy : {false, true}) {
    std::promise<void> end;
    const std::shared_future<void> ended = end.get_future().share();
    const Names names([ended](const std::string&) {
      ended.wait();
      return Resolved{{testing::address("127.0.0.1")}, ""};
    });
    start(to("ws://slow" + std::to_string(destroy) + ".test/"));
    expect_nothing_left(0.05, destroy);
    end.set_value();
  }
}

TEST_F(Aborts, while_it_connects) {
  for (const bool destroy : {false, true}) {
    Listener hole("127.0.0.1", 0, 0);
    hole.become_black_hole();
    before_ = open_descriptors();
    start(to("ws", "127.0.0.1", hole.port()));
    EXPECT_TRUE(becomes_true([&] { return open_descriptors() == before_ + 1; }));
    expect_nothing_left(0.0, destroy);
  }
}

TEST_F(Aborts, while_it_races_two_addresses) {
  Listener hole("127.0.0.1", 0, 0);
  hole.become_black_hole();
  Listener other("127.0.0.2", hole.port(), 0);
  other.become_black_hole();
  const Names names({"127.0.0.1", "127.0.0.2"});
  before_ = open_descriptors();
  start(to("ws", "two.test", hole.port()));
  EXPECT_TRUE(becomes_true([&] { return open_descriptors() == before_ + 2; }));
  expect_nothing_left(0.0, true);
}

TEST_F(Aborts, while_it_shakes_hands) {
  check_tls({});  // as a client does: reading the system's authorities takes its time
  for (const bool destroy : {false, true}) {
    const Listener silent;
    before_ = open_descriptors();
    start(to("wss", "127.0.0.1", silent.port()));
    EXPECT_TRUE(becomes_true([&] { return open_descriptors() == before_ + 1; }));
    expect_nothing_left(0.0, destroy);
  }
}

TEST_F(Aborts, from_within_what_it_calls) {
  const Server server(testing::read_to_end);
  before_ = open_descriptors();
  std::promise<void> over;
  io_.run([&] {
    dial_ = std::make_unique<Dial>(io_.loop(), to("ws", "127.0.0.1", server.port()));
    dial_->start(monotonic_now() + 5.0, [&](std::unique_ptr<Stream> stream, std::optional<Failure>) {
      dial_.reset();
      stream.reset();
      over.set_value();
    });
  });
  over.get_future().wait();
  EXPECT_TRUE(becomes_true([&] { return open_descriptors() == before_; }));
}

TEST_F(Aborts, from_within_a_failure_it_tells) {
  std::promise<void> over;
  const std::uint16_t port = testing::closed_port();
  io_.run([&] {
    dial_ = std::make_unique<Dial>(io_.loop(), to("ws", "127.0.0.1", port));
    dial_->start(monotonic_now() + 5.0, [&](std::unique_ptr<Stream>, std::optional<Failure>) {
      dial_.reset();
      over.set_value();
    });
  });
  over.get_future().wait();
  io_.run([] {});
  EXPECT_EQ(open_descriptors(), before_);
}

TEST_F(Aborts, at_any_moment_of_a_tls_dial) {
  const House house;
  const TlsServer server(house.server, testing::swallow);
  DialOptions options = to("wss", "127.0.0.1", server.port());
  options.tls = house.trusted();
  for (int count = 0; count < 100; ++count) {
    std::unique_ptr<Dial> dialing;
    std::unique_ptr<Stream> stream;
    bool ended = false;
    int late = 0;
    io_.run([&] {
      dialing = std::make_unique<Dial>(io_.loop(), options);
      dialing->start(monotonic_now() + 5.0, [&](std::unique_ptr<Stream> made, std::optional<Failure>) {
        if (ended) ++late;
        stream = std::move(made);
      });
    });
    std::this_thread::sleep_for(std::chrono::microseconds(count * 40));
    io_.run([&] {
      dialing.reset();
      stream.reset();
      ended = true;
    });
    io_.run([] {});
    EXPECT_EQ(late, 0);
  }
}

TEST(Descriptors, are_all_given_back_after_200_dials) {
  const House house;
  const Server plain([](int) {});
  const TlsServer tls(house.server, [](SSL*, int) {});
  const std::uint16_t refused = testing::closed_port();
  LoopThread io;
  DialOptions secure = to("wss", "127.0.0.1", tls.port());
  secure.tls = house.trusted();
  DialOptions distrustful = secure;
  distrustful.tls = {};
  const auto settled = [](std::size_t expected) {
    return becomes_true([&] { return open_descriptors() == expected; });
  };
  pause(0.05);
  const std::size_t before = open_descriptors();
  for (int count = 0; count < 50; ++count) {
    EXPECT_TRUE(testing::dial(io, to("ws", "127.0.0.1", plain.port())).stream);
    EXPECT_TRUE(testing::dial(io, secure).stream);
    EXPECT_EQ(testing::dial(io, distrustful).phase(), Phase::tls);
    EXPECT_EQ(testing::dial(io, to("ws", "127.0.0.1", refused)).phase(), Phase::tcp);
  }
  EXPECT_TRUE(settled(before)) << open_descriptors() << " are open, " << before << " were";
}

/// The number of the socket that is connected to this port.
int socket_to(std::uint16_t port) {
  for (int number = 0; number < 1024; ++number) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(number, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        ntohs(peer.sin_port) == port) {
      return number;
    }
  }
  return -1;
}

bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

TEST(Descriptors, of_the_parents_streams_are_closed_in_a_forks_child_and_live_on_in_the_parent) {
  const House house;
  const TlsServer server(house.server, testing::echo);
  const Listener others;  // not a descriptor of net/: it stays
  LoopThread io;
  DialOptions options = to("wss", "127.0.0.1", server.port());
  options.tls = house.trusted();
  const testing::Outcome outcome = testing::dial(io, options);
  ASSERT_TRUE(outcome.stream) << outcome.message();
  const int number = socket_to(server.port());
  ASSERT_GE(number, 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool was_open = is_open(number);
    close_descriptors_after_fork();
    const bool alive = others.accept(0) == -1 && errno != EBADF;
    ::_exit(was_open && !is_open(number) && alive ? 42 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 42);
  EXPECT_GE(testing::transmit(io, *outcome.stream, "still here"), 0);  // no close_notify went out
  EXPECT_EQ(testing::receive(io, *outcome.stream, 10).bytes, "still here");
}

}  // namespace
}  // namespace fastws::net
