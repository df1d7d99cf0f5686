// The I/O thread waits awake while questions and answers follow each other quickly, and sleeps when they do not.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <ctime>
#include <future>
#include <string>

#include "client/io_thread.hpp"
#include "client_server.hpp"
#include "client_subject.hpp"

namespace {

using namespace fastws;
using client::IoThread;
using client::testing::Peer;
using client::testing::Server;
using client::testing::Subject;
using policy::State;

/// What the I/O thread says of itself.
struct Usage {
  long sleeps = 0;
  double cpu_seconds = 0.0;

  static Usage now() {
    std::promise<Usage> told;
    IoThread::instance().post([&] {
      rusage usage{};
      getrusage(RUSAGE_THREAD, &usage);
      timespec cpu{};
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
      told.set_value(
          {usage.ru_nvcsw, static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) * 1e-9});
    });
    return told.get_future().get();
  }
};

class BusyPolling : public ::testing::Test {
 protected:
  void SetUp() override {
    subject.client->connect();
    ASSERT_TRUE(subject.reaches(State::open));
    while (subject.next() != "connect") {
    }
  }

  /// How often the I/O thread slept during so many questions and answers.
  long sleeps_of(int exchanges) {
    const Usage before = Usage::now();
    for (int number = 0; number < exchanges; ++number) {
      EXPECT_EQ(subject.send(R"({"type":"question"})"), client::Client::Sent::accepted);
      EXPECT_EQ(subject.next(), "answer");
    }
    return Usage::now().sleeps - before.sleeps;
  }

  Server server{[](const Peer& peer) {
    if (!peer.shake_hands()) return;
    const std::string answer = engine::peer::text(R"({"type":"answer"})");
    while (!peer.read(60000).empty()) peer.write(answer);
  }};
  Subject subject{server.url()};
};

TEST_F(BusyPolling, FindsQuickAnswersWithoutSleeping) {
  constexpr int exchanges = 50;
  const double until = net::monotonic_now() + 60.0;
  long least = exchanges;
  // On a machine that does much else answers are not always quick; once they are, it must not sleep for each.
  while (least >= exchanges / 2 && net::monotonic_now() < until) {
    least = std::min(least, sleeps_of(exchanges));
  }
  EXPECT_LT(least, exchanges / 2);
}

TEST_F(BusyPolling, EndsWithTheExchanges) {
  sleeps_of(500);
  const Usage before = Usage::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(Usage::now().cpu_seconds - before.cpu_seconds, 0.1);
}

}  // namespace
