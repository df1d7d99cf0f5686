// The I/O thread waits awake while questions and answers follow each other quickly, and sleeps when they do not.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <future>
#include <string>

#include "client/io_thread.hpp"
#include "client_server.hpp"
#include "client_subject.hpp"
#include "policy/busy_poll.hpp"

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

  struct Run {
    long sleeps = 0;  // of the I/O thread
    int slow = 0;     // exchanges that took too long to be polled for
  };

  Run exchange(int times) {
    Run run;
    const Usage before = Usage::now();
    for (int number = 0; number < times; ++number) {
      const double began = net::monotonic_now();
      EXPECT_EQ(subject.send(R"({"type":"question"})"), client::Client::Sent::accepted);
      EXPECT_EQ(subject.next(), "answer");
      if (net::monotonic_now() - began > policy::BusyPoll::longest / 2) ++run.slow;
    }
    run.sleeps = Usage::now().sleeps - before.sleeps;
    return run;
  }

  Server server{[](const Peer& peer) {
    if (!peer.shake_hands()) return;
    const std::string answer = engine::peer::text(R"({"type":"answer"})");
    while (!peer.read(60000).empty()) peer.write(answer);
  }};
  Subject subject{server.url()};
};

TEST_F(BusyPolling, FindsQuickAnswersWithoutSleeping) {
  constexpr int times = 50;
  const double until = net::monotonic_now() + 5.0;
  // Only runs that were quick say something; on a machine that does much else, or under a sanitizer, none may be. A thread
  // that waits for a lock sleeps, too, so the best of them counts: without polling each has as many sleeps as exchanges.
  long least = 0;
  for (int judged = 0; judged < 20 && net::monotonic_now() < until;) {
    const Run run = exchange(times);
    if (run.slow > times / 10) continue;
    least = judged++ == 0 ? run.sleeps : std::min(least, run.sleeps);
  }
  EXPECT_LT(least, times / 2);
}

TEST_F(BusyPolling, EndsWithTheExchanges) {
  exchange(500);
  const Usage before = Usage::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(Usage::now().cpu_seconds - before.cpu_seconds, 0.1);
}

}  // namespace
