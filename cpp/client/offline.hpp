// The offline queue (reconnect-spec R9): what is sent while no connection takes it, and goes out with the next one.
//
// May know: frames, the kinds of messages. Promises: FIFO, bounded, any thread; from the moment a connection takes messages
// to the moment it does not, none can slip into the queue and stay behind; a message leaves for one connection or is counted.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "../policy/burst.hpp"
#include "departures.hpp"
#include "line.hpp"

namespace fastws::client {

struct OfflineOptions {
  enum class Policy : std::uint8_t { drop, raise, queue };
  enum class Full : std::uint8_t { drop_oldest, drop_newest, raise };
  Policy policy = Policy::drop;
  // queue
  std::size_t messages = 1000;
  std::size_t bytes = std::size_t{16} << 20;  // of payloads
  std::optional<double> ttl;                  // seconds; nullopt = for ever
  Full on_full = Full::drop_oldest;
};

class Offline {
 public:
  explicit Offline(const OfflineOptions& options, Bell* bell = nullptr)
      : options_(options), departures_(bell) {}

  [[nodiscard]] bool queues() const noexcept { return options_.policy == OfflineOptions::Policy::queue; }

  enum class Put : std::uint8_t {
    stored,
    direct,   // not here: the connection of `epoch` takes it
    dropped,  // full, or the client is closed
    refused,  // full, and that is to raise
  };
  Put put(engine::Opcode opcode, std::string_view payload, double now, std::uint64_t& epoch);

  // What becomes of messages from now on.

  /// They are stored: no connection is open, or its `connect` handlers have not returned.
  void hold();
  /// The same, if it was this epoch that took them: it does not any more.
  void lost(std::uint64_t epoch);
  /// They are dropped, and with them what is stored: the client is closed. `tell`: as a burst, for it closed by itself.
  void close(bool tell, double now);
  /// What is stored leaves, in order, by `push` (false = not taken: it stays); then the connection of this epoch takes
  /// messages itself. `is_open` is asked first.
  using Push = std::function<bool(const Frames& frames)>;
  void release(std::uint64_t epoch, double now, const std::function<bool()>& is_open, const Push& push);

  /// Waits for what is stored now to leave.
  std::shared_ptr<Departures::Watch> watch();
  Departures::Waited await_left(const Departures::Watch& watch, std::optional<double> until);

  /// The drops that are to be told at `now`, once.
  std::optional<policy::Dropped> take_dropped(double now);
  /// When to ask for them again; nullopt = no burst goes on.
  [[nodiscard]] std::optional<double> burst_check() const;

  struct Counts {
    std::uint64_t dropped = 0;
    std::size_t messages = 0;
    std::size_t bytes = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  enum class State : std::uint8_t { storing, direct, closed };
  struct Stored {
    engine::Opcode opcode;
    std::string payload;
    double since;
  };

  void drop_oldest(double now);
  void drop_expired(double now);
  void count_drop(std::uint64_t count, double now);
  [[nodiscard]] bool has_room(std::size_t size) const noexcept;

  const OfflineOptions options_;
  mutable std::mutex mutex_;
  State state_ = State::storing;
  std::uint64_t epoch_ = 0;   // direct: the one that takes messages
  std::list<Stored> stored_;  // a deque takes 576 bytes of every client, whatever it does offline
  std::size_t bytes_ = 0;
  Departures departures_;  // of what is stored
  std::uint64_t dropped_ = 0;
  std::optional<policy::Burst> burst_;
};

}  // namespace fastws::client
