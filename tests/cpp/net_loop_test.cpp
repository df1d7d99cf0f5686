// The loop: functions posted from many threads, and timers that are changed, cancelled and destroyed.
#include "net/loop.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "net_rig.hpp"

namespace fastws::net {
namespace {

using testing::becomes_true;
using testing::LoopThread;
using testing::pause;

TEST(Loop, runs_what_many_threads_post) {
  LoopThread io;
  int count = 0;  // the loop's thread alone touches it
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&] {
      for (int time = 0; time < 1000; ++time) io.loop().post([&] { ++count; });
    });
  }
  for (auto& thread : threads) thread.join();
  int seen = 0;
  io.run([&] { seen = count; });
  EXPECT_EQ(seen, 8000);
}

TEST(Loop, keeps_the_order_of_one_thread) {
  LoopThread io;
  std::vector<int> order;
  for (int number = 0; number < 100; ++number) io.loop().post([&order, number] { order.push_back(number); });
  io.run([] {});
  ASSERT_EQ(order.size(), 100U);
  for (int number = 0; number < 100; ++number) EXPECT_EQ(order[static_cast<std::size_t>(number)], number);
}

TEST(Loop, waits_for_work_and_ends_when_told) {
  Loop loop;
  std::atomic<bool> ended{false};
  std::thread thread([&] {
    loop.run();
    ended = true;
  });
  pause(0.05);
  EXPECT_FALSE(ended);
  loop.stop();
  thread.join();
  EXPECT_TRUE(ended);
}

TEST(Loop, posted_from_itself_runs_later) {
  LoopThread io;
  bool inside = true;
  bool nested = false;
  io.run([&] {
    io.loop().post([&] { nested = inside; });
    inside = false;
  });
  bool seen = true;
  io.run([&] { seen = nested; });
  EXPECT_FALSE(seen);
}

TEST(Loop, what_it_never_ran_is_destroyed_with_it) {
  const auto held = std::make_shared<int>(1);
  {
    Loop loop;
    loop.post([held] {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Loop, ends_when_told_while_it_polls) {
  Loop loop;
  std::thread thread([&] { loop.run(); });
  loop.post([&] { loop.busy_poll(monotonic_now() + 3600.0); });
  pause(0.02);
  loop.stop();
  thread.join();
}

class Timers : public ::testing::Test {
 protected:
  void SetUp() override {
    io_.run([this] { timer_ = std::make_unique<Timer>(io_.loop()); });
  }
  void TearDown() override {
    io_.run([this] { timer_.reset(); });
  }
  std::atomic<int> fired_{0};
  LoopThread io_;
  std::unique_ptr<Timer> timer_;
};

TEST_F(Timers, fire_once_and_not_early) {
  const double due = monotonic_now() + 0.05;
  std::atomic<double> at{0.0};
  io_.run([&] {
    timer_->at(due, [&] {
      at = monotonic_now();
      ++fired_;
    });
  });
  ASSERT_TRUE(becomes_true([&] { return fired_ == 1; }));
  EXPECT_GE(at, due);
  pause(0.1);
  EXPECT_EQ(fired_, 1);
}

TEST_F(Timers, of_the_past_fire_at_once) {
  io_.run([&] { timer_->at(monotonic_now() - 10.0, [&] { ++fired_; }); });
  EXPECT_TRUE(becomes_true([&] { return fired_ == 1; }));
}

TEST_F(Timers, of_no_time_never_fire) {
  io_.run([&] { timer_->at(std::numeric_limits<double>::infinity(), [&] { ++fired_; }); });
  pause(0.05);
  EXPECT_EQ(fired_, 0);
}

/// How often the calling thread gave up the CPU to sleep.
long sleeps() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

TEST_F(Timers, fire_while_the_loop_polls_and_does_not_sleep) {
  std::atomic<long> slept{-1};
  // A thread that waits for a lock sleeps, too, so one try of ten is enough: without polling each sleeps for its timer.
  for (int round = 1; round <= 10 && slept != 0; ++round) {
    io_.run([&] {
      const double now = monotonic_now();
      const long before = sleeps();
      io_.loop().busy_poll(now + 0.02);
      io_.loop().busy_poll(now + 3600.0);  // the last word counts
      timer_->at(now + 0.06, [this, &slept, before] {
        slept = sleeps() - before;
        io_.loop().busy_poll(0.0);
        ++fired_;
      });
    });
    ASSERT_TRUE(becomes_true([&] { return fired_ == round; }));
  }
  EXPECT_EQ(slept, 0);
}

TEST_F(Timers, find_a_loop_asleep_that_has_polled_long_enough) {
  std::atomic<long> slept{-1};
  io_.run([&] {
    const double now = monotonic_now();
    const long before = sleeps();
    io_.loop().busy_poll(now + 0.01);
    timer_->at(now + 0.06, [this, &slept, before] {
      slept = sleeps() - before;
      ++fired_;
    });
  });
  ASSERT_TRUE(becomes_true([&] { return fired_ == 1; }));
  EXPECT_GE(slept, 1);
}

TEST_F(Timers, cancelled_do_not_fire) {
  io_.run([&] {
    timer_->at(monotonic_now() + 0.02, [&] { ++fired_; });
    timer_->cancel();
  });
  pause(0.08);
  EXPECT_EQ(fired_, 0);
}

TEST_F(Timers, cancelled_when_already_due_do_not_fire) {
  io_.run([&] {
    timer_->at(monotonic_now(), [&] { ++fired_; });
    pause(0.02);  // it has expired; its function could only run after this one
    timer_->cancel();
  });
  io_.run([] {});
  pause(0.02);
  EXPECT_EQ(fired_, 0);
}

TEST_F(Timers, destroyed_do_not_fire) {
  io_.run([&] {
    timer_->at(monotonic_now(), [&] { ++fired_; });
    pause(0.02);
    timer_.reset();
  });
  pause(0.02);
  EXPECT_EQ(fired_, 0);
}

TEST_F(Timers, set_anew_fire_for_the_last_time_only) {
  std::atomic<int> which{0};
  io_.run([&] {
    timer_->at(monotonic_now() + 0.01, [&] { which = 1; });
    timer_->at(monotonic_now() + 0.03, [&] {
      which = 2;
      ++fired_;
    });
  });
  ASSERT_TRUE(becomes_true([&] { return fired_ == 1; }));
  EXPECT_EQ(which, 2);
}

TEST_F(Timers, may_be_set_again_by_their_function) {
  io_.run([&] {
    timer_->at(monotonic_now(), [&] {
      ++fired_;
      timer_->at(monotonic_now(), [&] { ++fired_; });
    });
  });
  EXPECT_TRUE(becomes_true([&] { return fired_ == 2; }));
}

TEST_F(Timers, may_be_destroyed_by_their_function) {
  const auto held = std::make_shared<int>(1);
  io_.run([&] {
    timer_->at(monotonic_now(), [this, held] {
      timer_.reset();
      fired_ += *held;  // what the function holds outlives the timer
    });
  });
  EXPECT_TRUE(becomes_true([&] { return fired_ == 1 && held.use_count() == 1; }));
}

}  // namespace
}  // namespace fastws::net
