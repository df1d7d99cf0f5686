// Writes every inbound message to a file as JSON lines (docs/recording.md), on a thread of its own.
//
// May know: json/writer, the alarm, the gate. Promises: message(), opened() and lost() copy and return, whatever the disk
// does; what waits for the disk is bounded, and what finds no room is counted and marked in the file; lines are written
// whole and in order; a failing write is tried again, so that nothing is torn while this process lives.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fastws::client {

class Recorder {
 public:
  static constexpr std::size_t most_waiting = std::size_t{32}
                                              << 20;  // bytes, beside as many that are being written

  struct Counts {
    std::uint64_t recorded = 0;
    std::uint64_t unrecorded = 0;  // found no room, or were left when the disk failed at the end
  };

  /// Opens the file for appending, and makes it if need be. `failed` is called on the recorder's thread with a sentence,
  /// once until writing succeeds again. Throws std::system_error.
  Recorder(const std::string& path, std::function<void(std::string)> failed);
  /// end()
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// False: it found no room. `now`: monotonic seconds at which its socket read was done.
  bool message(std::uint64_t epoch, bool binary, std::string_view payload, double now);
  void opened(std::uint64_t epoch, std::string_view url, double now);
  void lost(std::uint64_t epoch, std::uint16_t code, std::string_view reason, std::string_view initiator,
            double now);

  [[nodiscard]] Counts counts() const;
  /// Sleeps, with the gate left, until all that was told so far is in the file. False: `until` (monotonic seconds) came first.
  bool flush(double until);
  /// Nothing more is told: what waits is written, then the file is closed. Does not wait.
  void end();

  /// Sleeps until the files of all ended recorders of the process are closed, at most until `until`.
  static void finish_all(double until);
  /// In a fork's child: the files and threads are the parent's.
  static void forget_after_fork();

  struct State;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace fastws::client
