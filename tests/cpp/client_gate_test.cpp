// The gate: closed for good at exit, exclusive for a fork (sleepers: client_alarm_test; reconnect-spec R18, R19).
#include "client/gate.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace {

using fastws::client::Gate;
using namespace std::chrono_literals;

TEST(Gate, AdmitsUntilItIsClosed) {
  Gate gate;
  EXPECT_TRUE(gate.admit());
  gate.dismiss();
  gate.close();
  EXPECT_FALSE(gate.admit());
  EXPECT_TRUE(gate.closed());
}

TEST(Gate, WaitsForThoseWhoWereAdmitted) {
  Gate gate;
  ASSERT_TRUE(gate.admit());
  gate.close();
  EXPECT_FALSE(gate.wait_empty(0.02));
  gate.dismiss();
  EXPECT_TRUE(gate.wait_empty(0.02));
}

TEST(Gate, TakingItKeepsOthersOutUntilItIsReleased) {
  Gate gate;
  gate.take();
  std::atomic<bool> entered{false};
  std::thread other([&] {
    gate.enter();
    entered.store(true);
    gate.leave();
  });
  std::this_thread::sleep_for(30ms);
  EXPECT_FALSE(entered.load());
  gate.release();
  other.join();
  EXPECT_TRUE(entered.load());
}

TEST(Gate, WhoTookItIsNotKeptOut) {
  // A fork runs code of others in the thread that forks, a garbage collection for one.
  Gate gate;
  gate.take();
  gate.enter();
  gate.leave();
  gate.release();
  gate.enter();
  gate.leave();
}

TEST(Gate, TakingItWaitsForThoseInside) {
  Gate gate;
  gate.enter();
  std::atomic<bool> taken{false};
  std::thread forker([&] {
    gate.take();
    taken.store(true);
    gate.release();
  });
  std::this_thread::sleep_for(30ms);
  EXPECT_FALSE(taken.load());
  gate.leave();
  forker.join();
  EXPECT_TRUE(taken.load());
}

TEST(Gate, ManyThreadsAndAFork) {
  Gate gate;
  std::atomic<bool> stop{false};
  std::atomic<int> inside{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      while (!stop.load()) {
        gate.enter();
        inside.fetch_add(1);
        inside.fetch_sub(1);
        gate.leave();
      }
    });
  }
  for (int round = 0; round < 200; ++round) {
    gate.take();
    EXPECT_EQ(inside.load(), 0);
    gate.release();
  }
  stop.store(true);
  for (auto& thread : threads) thread.join();
}

}  // namespace
