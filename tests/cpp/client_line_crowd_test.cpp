// Many threads on a line and the I/O thread that comes for what they gather: nobody's message is ever forgotten.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client_narrow.hpp"

namespace {

using namespace fastws;
using namespace fastws::client::testing;
using std::chrono::milliseconds;

/// One whose room the loop's thread changes while whoever sends may write.
class Shared final : public Narrow {
 public:
  net::Moved write(const char* data, std::size_t size) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return Narrow::write(data, size);
  }
  void take(std::size_t more) {
    const std::lock_guard<std::mutex> lock(mutex_);
    room += more;
  }

 private:
  std::mutex mutex_;
};

/// A line whose I/O thread comes as a transport's does: when woken, when the stream takes more, and while it gathers. The
/// stream takes little at a time when `narrow`, and then nothing for a turn of the loop.
class Attended {
 public:
  explicit Attended(bool narrow = false, std::size_t limit = std::size_t{16} << 20)
      : narrow_(narrow), line(limit, [this] {
          ++woken;
          loop_.post([this] { flush(); });
        }) {
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Attended() {
    on_loop([this] { timer_.reset(); });
    loop_.stop();
    thread_.join();
  }
  Attended(const Attended&) = delete;
  Attended& operator=(const Attended&) = delete;

  void connect(std::uint64_t epoch) {
    on_loop([&] {
      if (narrow_) stream.room = 100;
      line.attach(&stream);
      line.open(epoch, nullptr);
    });
  }
  /// What was written on it, and what was not.
  std::pair<Frames, Line::Unsent> disconnect() {
    std::pair<Frames, Line::Unsent> result;
    on_loop([&] {
      result.second = line.shut();
      result.first = frames_in(stream.written);
      stream.written.clear();
      stream.again.clear();
      stream.closed = false;
    });
    return result;
  }
  /// True = what was sent is written, and nobody had to send more for it.
  bool written_in_time() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (line.waiting_messages() != 0 || line.waiting_bytes() != 0) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(milliseconds(1));
    }
    return true;
  }
  Line::Sent send(const std::string& text) {
    if (line.gather(Opcode::text, text, 0) != Line::Gathered::no) return Line::Sent::accepted;
    const client::Inside inside;
    return line.send(Opcode::text, text, 0, net::monotonic_now() + 20.0);
  }

 private:
  const bool narrow_;
  net::Loop loop_;
  std::unique_ptr<net::Timer> timer_;
  bool armed_ = false;
  std::thread thread_;

  template <class Call>
  void on_loop(Call call) {
    std::atomic<bool> done{false};
    loop_.post([&] {
      call();
      done.store(true);
    });
    while (!done.load()) std::this_thread::yield();
  }
  void flush() {
    switch (line.flush()) {
      case Line::Flush::gathering:
        if (armed_) break;
        armed_ = true;
        if (!timer_) timer_ = std::make_unique<net::Timer>(loop_);
        timer_->at(net::monotonic_now() + line.gather_seconds(), [this] {
          armed_ = false;
          flush();
        });
        break;
      case Line::Flush::waiting:
        loop_.post([this] {
          stream.take(1 + static_cast<std::size_t>(random_() % 3000));
          flush();
        });
        break;
      case Line::Flush::empty:
      case Line::Flush::broken: break;
    }
  }
  std::minstd_rand random_;

 public:
  Shared stream;
  std::atomic<int> woken{0};
  Line line;
};

/// Senders that hurry, pause and hurry again, so that the promise ends and begins while they come.
void restless(Attended& one, int number, int count) {
  std::minstd_rand random(static_cast<unsigned>(number) + 1);
  for (int next = 0; next < count; ++next) {
    ASSERT_EQ(one.send(std::to_string(number) + "/" + std::to_string(next)), Line::Sent::accepted);
    const auto what = random() % 400;
    if (what == 0) std::this_thread::sleep_for(std::chrono::microseconds(50 + random() % 200));
    if (what < 8) std::this_thread::yield();
  }
}

void expect_each_in_order(const Frames& frames, int senders, int count) {
  std::vector<int> next(static_cast<std::size_t>(senders), 0);
  for (const auto& frame : frames) {
    const auto number = static_cast<std::size_t>(frame[2] - '0');
    ASSERT_EQ(frame, "1:" + std::to_string(number) + "/" + std::to_string(next[number]++));
  }
  EXPECT_EQ(next, std::vector<int>(static_cast<std::size_t>(senders), count));
}

class FromManyThreads : public testing::TestWithParam<bool> {};

TEST_P(FromManyThreads, NothingIsForgottenAndEachKeepsItsOrder) {
  constexpr int senders = 4;
  constexpr int count = 5000;
  Attended one(GetParam(), std::size_t{64} << 10);
  one.connect(7);
  std::vector<std::thread> threads;
  for (int number = 0; number < senders; ++number) {
    threads.emplace_back([&one, number] { restless(one, number, count); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(one.written_in_time()) << one.line.waiting_messages() << " wait for nobody";
  EXPECT_LT(one.woken.load(), senders * count / 4);
  const auto [frames, unsent] = one.disconnect();
  EXPECT_EQ(unsent.messages, 0u);
  expect_each_in_order(frames, senders, count);
}

INSTANTIATE_TEST_SUITE_P(LineCrowd, FromManyThreads, testing::Values(false, true),
                         [](const auto& narrow) { return narrow.param ? "NarrowSocket" : "WideSocket"; });

TEST(LineCrowd, AcrossConnectionsEveryMessageIsWrittenOnceOrUnsent) {
  Attended one;
  one.connect(1);
  std::atomic<bool> over{false};
  std::vector<std::uint64_t> accepted(3, 0);
  std::vector<std::thread> threads;
  for (std::size_t number = 0; number < accepted.size(); ++number) {
    threads.emplace_back([&, number] {
      while (!over.load()) {
        const std::string text = std::to_string(number) + "/" + std::to_string(accepted[number]);
        const bool taken = one.send(text) == Line::Sent::accepted;
        if (taken) ++accepted[number];
        if (!taken || accepted[number] % 200 == 0)
          std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
    });
  }
  std::vector<std::uint64_t> next(accepted.size(), 0);
  std::uint64_t written = 0;
  std::uint64_t unsent = 0;
  for (std::uint64_t epoch = 2; epoch < 30; ++epoch) {
    std::this_thread::sleep_for(milliseconds(1));
    const auto ended = one.disconnect();
    one.connect(epoch);
    written += ended.first.size();
    unsent += ended.second.messages;
    for (const auto& frame : ended.first) {
      const auto number = static_cast<std::size_t>(frame[2] - '0');
      const std::uint64_t found = std::stoull(frame.substr(4));
      EXPECT_GE(found, next[number]) << "twice, or out of order";
      next[number] = found + 1;
    }
  }
  over.store(true);
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(one.written_in_time());
  const auto ended = one.disconnect();
  written += ended.first.size();
  unsent += ended.second.messages;
  EXPECT_EQ(written + unsent, accepted[0] + accepted[1] + accepted[2]);
  EXPECT_EQ(one.line.lost(), unsent);
}

TEST(LineCrowd, NothingCrossesToTheNextConnectionWhileItIsDeflated) {
  OnNarrow one;
  one.line.shut();
  one.line.attach(&one.stream);
  engine::DeflateOptions slow;
  slow.level = 9;
  one.line.open(8, std::make_shared<engine::Deflater>(engine::DeflateTerms(), slow));
  std::minstd_rand random;
  std::string large(std::size_t{1} << 20, 'x');
  for (char& c : large) c = static_cast<char>('a' + random() % 8);
  std::atomic<bool> begun{false};
  Line::Sent sent = Line::Sent::accepted;
  std::thread sender([&] {
    begun.store(true);
    sent = one.send(large, 8);
  });
  while (!begun.load()) std::this_thread::yield();
  std::this_thread::sleep_for(milliseconds(20));
  // It is at work for some hundred milliseconds; meanwhile the next connection is open, and a burst is under way there.
  Narrow next;
  one.reconnect(next, 9);
  client::Frames pushed;
  pushed.add(Opcode::text, "of the next");
  EXPECT_TRUE(one.line.push(pushed, 9, Line::Write::at_flush));
  EXPECT_EQ(one.line.gather(Opcode::text, "also", 9), Line::Gathered::yes);
  sender.join();
  EXPECT_EQ(sent, Line::Sent::not_open);
  one.flush();
  EXPECT_EQ(frames_in(next.written), (Frames{"1:of the next", "1:also"}));
  one.line.shut();
}

}  // namespace
