// Lookups: who joins whom, how many run, and that nobody waits for one that hangs (reconnect-spec R18).
#include "net/resolver.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

#include "net_rig.hpp"

namespace fastws::net {
namespace {

using testing::address;
using testing::becomes_true;
using testing::LoopThread;
using testing::Names;
using testing::pause;

/// Look-ups of hosts that begin with "hang" last until the end of the scope; all are counted.
class Hanging {
 public:
  Hanging() : names_([state = state_](const std::string& host) { return state->look_up(host); }) {}
  ~Hanging() {
    {
      const std::lock_guard<std::mutex> lock(state_->mutex);
      state_->open = true;
    }
    state_->opened.notify_all();
    becomes_true([this] { return begun() == ended(); });
  }
  Hanging(const Hanging&) = delete;
  Hanging& operator=(const Hanging&) = delete;

  [[nodiscard]] int begun() const { return state_->begun.load(); }
  [[nodiscard]] int ended() const { return state_->ended.load(); }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
    std::atomic<int> begun{0};
    std::atomic<int> ended{0};

    Resolved look_up(const std::string& host) {
      ++begun;
      if (host.rfind("hang", 0) == 0) {
        std::unique_lock<std::mutex> lock(mutex);
        opened.wait(lock, [this] { return open; });
      }
      ++ended;
      return {{address("127.0.0.1")}, ""};
    }
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
  Names names_;
};

class Lookups : public ::testing::Test {
 protected:
  void TearDown() override {
    io_.run([this] { lookups_.clear(); });
  }
  void look_up(const std::string& host) {
    io_.run([&] {
      lookups_.push_back(std::make_unique<Lookup>(io_.loop(), host, [this, host](const Resolved& resolved) {
        last_ = resolved;
        ++answers_[host];
      }));
    });
  }
  int answers(const std::string& host) {
    int count = 0;
    io_.run([&] { count = answers_[host]; });
    return count;
  }
  Resolved last() {
    Resolved copy;
    io_.run([&] { copy = last_; });
    return copy;
  }
  void give_up() {
    io_.run([this] { lookups_.clear(); });
  }

  std::map<std::string, int> answers_;
  Resolved last_;
  LoopThread io_;
  std::vector<std::unique_ptr<Lookup>> lookups_;
};

TEST_F(Lookups, of_localhost_find_loopback) {
  look_up("localhost");
  ASSERT_TRUE(becomes_true([&] { return answers("localhost") == 1; }));
  for (const auto& one : last().addresses)
    EXPECT_TRUE(one.text() == "127.0.0.1" || one.text() == "::1") << one.text();
  EXPECT_FALSE(last().addresses.empty());
}

// RFC 6761 section 6.3; a machine without /etc/hosts is where programs are built and tested.
TEST_F(Lookups, of_this_machine_need_no_one_who_knows_it) {
  const Names names([](const std::string& host) {
    return host == "known.localhost" ? Resolved{{address("127.0.0.9")}, ""} : Resolved{{}, "nobody knows"};
  });
  const auto found = [&](const std::string& host) {
    look_up(host);
    EXPECT_TRUE(becomes_true([&] { return answers(host) == 1; })) << host;
    std::string all;
    for (const auto& one : last().addresses) all += one.text() + " ";
    return all;
  };
  for (const char* host : {"localhost", "localhost.", "app.localhost"})
    EXPECT_EQ(found(host), "127.0.0.1 ::1 ");
  EXPECT_EQ(found("known.localhost"), "127.0.0.9 ");
  for (const char* host : {"notlocalhost", "localhost.example", ".", "localhos"}) EXPECT_EQ(found(host), "");
}

TEST_F(Lookups, of_no_such_name_say_why) {
  look_up("no-such-host.invalid");
  ASSERT_TRUE(becomes_true([&] { return answers("no-such-host.invalid") == 1; }, 30.0));
  EXPECT_TRUE(last().addresses.empty());
  EXPECT_FALSE(last().error.empty());
}

TEST_F(Lookups, of_addresses_ask_nobody) {
  const Hanging hanging;
  for (const char* text : {"127.0.0.1", "::1", "::ffff:1.2.3.4"}) {
    look_up(text);
    ASSERT_TRUE(becomes_true([&] { return answers(text) == 1; })) << text;
    EXPECT_EQ(last().addresses.at(0).text(), text);
  }
  EXPECT_EQ(hanging.begun(), 0);
}

TEST_F(Lookups, that_throw_are_failures) {
  const Names names([](const std::string&) -> Resolved { throw std::runtime_error("the wire is cut"); });
  look_up("thrown");
  ASSERT_TRUE(becomes_true([&] { return answers("thrown") == 1; }));
  EXPECT_EQ(last().error, "the wire is cut");
}

TEST_F(Lookups, join_a_young_one_of_their_host) {
  Hanging hanging;
  for (int count = 0; count < 5; ++count) look_up("hang");
  pause(0.05);
  EXPECT_EQ(hanging.begun(), 1);
}

TEST_F(Lookups, begin_a_second_one_after_a_second_but_no_third) {
  Hanging hanging;
  look_up("hang");
  pause(1.1);
  look_up("hang");
  EXPECT_TRUE(becomes_true([&] { return hanging.begun() == 2; }));
  pause(1.1);
  look_up("hang");
  pause(0.05);
  EXPECT_EQ(hanging.begun(), 2);
}

TEST_F(Lookups, joined_are_all_answered) {
  {
    const Hanging hanging;
    for (int count = 0; count < 5; ++count) look_up("hang");
  }
  EXPECT_TRUE(becomes_true([&] { return answers("hang") == 5; }));
}

TEST_F(Lookups, of_other_hosts_are_not_delayed_by_hanging_ones) {
  const Hanging hanging;
  for (int count = 0; count < 15; ++count) look_up("hang" + std::to_string(count));
  look_up("quick");
  EXPECT_TRUE(becomes_true([&] { return answers("quick") == 1; }));
}

TEST_F(Lookups, beyond_sixteen_wait_for_a_place) {
  {
    const Hanging hanging;
    for (int count = 0; count < 16; ++count) look_up("hang" + std::to_string(count));
    look_up("quick");
    pause(0.1);
    EXPECT_EQ(hanging.begun(), 16);
    EXPECT_EQ(answers("quick"), 0);
  }
  EXPECT_TRUE(becomes_true([&] { return answers("quick") == 1; }, 30.0));
}

TEST_F(Lookups, given_up_call_nobody) {
  {
    const Hanging hanging;
    for (int count = 0; count < 20; ++count) look_up("hang" + std::to_string(count));
    give_up();
  }
  pause(0.1);
  for (int count = 0; count < 20; ++count) EXPECT_EQ(answers("hang" + std::to_string(count)), 0);
}

TEST_F(Lookups, given_up_while_waiting_begin_nothing) {
  Hanging hanging;
  for (int count = 0; count < 20; ++count) look_up("hang" + std::to_string(count));
  give_up();
  pause(0.05);
  EXPECT_EQ(hanging.begun(), 16);
}

TEST_F(Lookups, given_up_are_forgotten_though_they_hang) {
  const Hanging hanging;
  const auto held = std::make_shared<int>(0);
  io_.run([&] {
    for (int count = 0; count < 18; ++count) {
      lookups_.push_back(
          std::make_unique<Lookup>(io_.loop(), "hang" + std::to_string(count), [held](const Resolved&) {}));
    }
  });
  give_up();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Lookup, given_up_at_any_moment_calls_nobody_afterwards) {
  const Names names({"127.0.0.1"});
  LoopThread io;
  int late = 0;
  int answered = 0;
  for (int count = 0; count < 400; ++count) {
    auto alive = std::make_shared<std::atomic<bool>>(true);
    std::unique_ptr<Lookup> lookup;
    io.run([&] {
      lookup = std::make_unique<Lookup>(io.loop(), "quick",
                                        [&, alive](const Resolved&) { ++(*alive ? answered : late); });
    });
    std::this_thread::sleep_for(std::chrono::microseconds(count % 100));
    io.run([&] {
      lookup.reset();
      *alive = false;
    });
  }
  io.run([] {});
  EXPECT_EQ(late, 0);
  EXPECT_GT(answered, 0);
}

TEST(Lookup, outlives_the_loop_it_was_asked_from) {
  Hanging hanging;
  {
    LoopThread io;
    std::unique_ptr<Lookup> lookup;
    io.run([&] { lookup = std::make_unique<Lookup>(io.loop(), "hang", [](const Resolved&) { FAIL(); }); });
    ASSERT_TRUE(becomes_true([&] { return hanging.begun() == 1; }));
    const double began = monotonic_now();
    io.run([&] { lookup.reset(); });
    EXPECT_LT(monotonic_now() - began, 1.0);
  }
  SUCCEED();  // and now the hanging one ends, with nobody to tell
}

TEST(Lookup, runs_on_a_thread_of_its_own_name_with_all_signals_blocked) {
  std::promise<std::pair<std::string, bool>> seen;
  const Names names([&seen](const std::string&) {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    const bool blocked = sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGTERM) == 1 &&
                         sigismember(&mask, SIGPROF) == 1;
    seen.set_value({name, blocked});
    return Resolved{{}, "none"};
  });
  LoopThread io;
  std::unique_ptr<Lookup> lookup;
  io.run([&] { lookup = std::make_unique<Lookup>(io.loop(), "named", [](const Resolved&) {}); });
  const auto [name, blocked] = seen.get_future().get();
  EXPECT_EQ(name, "fastws-dns");
  EXPECT_TRUE(blocked);
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  EXPECT_EQ(sigismember(&mask, SIGINT), 0);  // the asking thread's mask is as it was
  io.run([&] { lookup.reset(); });
}

TEST(Lookup, works_in_a_forks_child_whose_parent_has_hanging_ones) {
  const Hanging hanging;
  LoopThread io;
  std::vector<std::unique_ptr<Lookup>> lookups;
  io.run([&] {
    for (int count = 0; count < 16; ++count) {
      lookups.push_back(
          std::make_unique<Lookup>(io.loop(), "hang" + std::to_string(count), [](const Resolved&) {}));
    }
  });
  ASSERT_TRUE(becomes_true([&] { return hanging.begun() == 16; }));
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(10);
    forget_lookups_after_fork();
    set_look_up([](const std::string&) { return Resolved{{address("127.0.0.1")}, ""}; });
    Loop loop;
    int status = 1;
    const Lookup lookup(loop, "again", [&](const Resolved& resolved) {
      status = resolved.addresses.size() == 1 ? 42 : 2;
      loop.stop();
    });
    loop.run();
    ::_exit(status);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 42);
  io.run([&] { lookups.clear(); });
}

}  // namespace
}  // namespace fastws::net
