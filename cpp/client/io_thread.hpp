// The one native thread of the process that does all network work: `fastws-io`.
//
// May know: net/loop. Promises: made lazily, all signals blocked, never takes the GIL; can be parked between two events
// for a fork; in a fork's child the old one is leaked and a new one is made on demand.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "../engine/engine.hpp"
#include "../json/reader.hpp"
#include "../net/loop.hpp"
#include "trimmer.hpp"

namespace fastws::client {

class IoThread {
 public:
  /// The process's I/O thread, started when first asked for.
  static IoThread& instance();
  /// The same, or nullptr while none was needed.
  static IoThread* existing() noexcept;
  /// In a fork's child: forget the parent's.
  static void forget_after_fork() noexcept;

  [[nodiscard]] net::Loop& loop() noexcept { return loop_; }
  [[nodiscard]] Trimmer& trimmer() noexcept { return trimmer_; }
  void post(std::function<void()> function) { loop_.post(std::move(function)); }

  /// Stops the thread between two events until unpark(). Not from the I/O thread.
  void park();
  void unpark();

  /// Ends the loop and joins the thread, at most `seconds`; then leaves it to the process's end. True = joined.
  bool stop(double seconds);

  // What connections share, used on the I/O thread alone: a socket read fills the buffer and is worked off at once.
  static constexpr std::size_t read_bytes = std::size_t{128} << 10;
  std::vector<char> buffer = std::vector<char>(read_bytes);
  engine::SharedRoom message_room;
  json::Reader reader;
  std::mt19937_64 random{std::random_device{}()};  // 2.5 KB: too much for every connection

 private:
  IoThread();
  ~IoThread() = delete;  // lives as long as the process: late completions must find their loop

  net::Loop loop_;
  Trimmer trimmer_{loop_};
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool parked_ = false;
  bool park_wanted_ = false;
  bool ended_ = false;
};

}  // namespace fastws::client
