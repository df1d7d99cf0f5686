// The alarm: nothing that was told under the lock is slept over, the time holds, and a sleeper keeps neither lock nor gate.
#include "client/alarm.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "client/gate.hpp"

namespace {

using fastws::client::Alarm;
using fastws::client::Gate;
using fastws::client::Inside;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Lock = std::unique_lock<std::mutex>;

const auto never = [] { return Clock::now() + std::chrono::hours(1); };

TEST(Alarm, SleepsAsLongAsItIsTold) {
  Alarm alarm;
  std::mutex mutex;
  Lock lock(mutex);
  const Inside inside;
  const auto began = Clock::now();
  while (Clock::now() < began + milliseconds(50)) alarm.sleep_until(lock, began + milliseconds(50));
  EXPECT_TRUE(lock.owns_lock());
  alarm.sleep_until(lock, began);  // over already
  alarm.wake_one();                // nobody sleeps: nothing is kept for the next one
  const auto again = Clock::now();
  while (Clock::now() < again + milliseconds(20)) alarm.sleep_until(lock, again + milliseconds(20));
  EXPECT_LT(Clock::now(), again + milliseconds(500));
}

/// Two threads hand a number to and fro; one missed call would sleep for an hour.
void volley(bool under_the_lock) {
  constexpr int rounds = 20'000;
  Alarm alarms[2];
  std::mutex mutex;
  int turn = 0;
  const auto play = [&](int me) {
    const Inside inside;
    for (int round = 0; round < rounds; ++round) {
      Lock lock(mutex);
      while (turn % 2 != me) alarms[me].sleep_until(lock, never());
      ++turn;
      if (!under_the_lock) lock.unlock();
      alarms[1 - me].wake_one();
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  EXPECT_EQ(turn, 2 * rounds);
}

TEST(Alarm, MissesNobodyWhoWakesBehindTheLock) { volley(false); }
TEST(Alarm, MissesNobodyWhoWakesUnderTheLock) { volley(true); }

TEST(Alarm, WakesAll) {
  Alarm alarm;
  std::mutex mutex;
  bool over = false;
  std::vector<std::thread> threads;
  for (int index = 0; index < 4; ++index) {
    threads.emplace_back([&] {
      const Inside inside;
      Lock lock(mutex);
      while (!over) alarm.sleep_until(lock, never());
    });
  }
  std::this_thread::sleep_for(milliseconds(20));
  {
    const Lock lock(mutex);
    over = true;
  }
  alarm.wake_all();
  for (auto& thread : threads) thread.join();
}

TEST(Alarm, LeavesLockAndGateToOthersWhileItSleeps) {
  Alarm alarm;
  std::mutex mutex;
  bool over = false;
  std::thread sleeper([&] {
    const Inside inside;
    Lock lock(mutex);
    while (!over) alarm.sleep_until(lock, never());
  });
  for (int round = 0; round < 200; ++round) {
    Gate::instance().take();  // as for a fork: it waits until nobody is inside
    EXPECT_TRUE(mutex.try_lock()) << "whoever is outside the gate holds no lock";
    mutex.unlock();
    Gate::instance().release();
    alarm.wake_one();
  }
  {
    const Lock lock(mutex);
    over = true;
  }
  alarm.wake_one();
  sleeper.join();
}

}  // namespace
