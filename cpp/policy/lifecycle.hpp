// The connection's life as a table: which input leads from which state to which, with which effects and events.
//
// May know: backoff, verdict and the shared error vocabulary. Knows no I/O, no clock, no randomness and no threads:
// time and random numbers are arguments, effects and events are data that the caller carries out.
// Promises: an input that has no row changes nothing; a completion of an older epoch has no effect but aborting its
// transport; at most one transport is ever asked for. Not thread-safe: the caller holds one mutex around it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../error.hpp"
#include "backoff.hpp"

namespace fastws::policy {

enum class State : std::uint8_t { idle, connecting, open, backoff, closing, closed, destroyed };
enum class ClosedReason : std::uint8_t { none, user, fatal, exhausted, server };
enum class Initiator : std::uint8_t { server, network, liveness, user, client };
constexpr const char* name(Initiator initiator) noexcept {
  switch (initiator) {
    case Initiator::server: return "server";
    case Initiator::network: return "network";
    case Initiator::liveness: return "liveness";
    case Initiator::user: return "user";
    case Initiator::client: return "client";
  }
  return "network";
}
enum class Intent : std::uint8_t { stop, restart };

/// All times are seconds of one monotonic clock of the caller's choice.
using Seconds = double;

/// Two independent uniform numbers in [0, 1): one for the jitter, one for a server's hint.
struct Draw {
  double jitter = 0.0;
  double hint = 0.0;
};

struct Settings {
  Backoff backoff;
  /// False: one life, like a plain browser WebSocket.
  bool reconnect = true;
  /// A `url` or `headers` callable is asked before every attempt: 401 and 403 are always retried.
  bool has_provider = false;
  /// A `should_reconnect` callable is asked during every wait.
  bool asks = false;
  Seconds connect_timeout = 10.0;
  Seconds close_timeout = 2.0;
  std::optional<Seconds> ping_interval = 20.0;  // nullopt = off
  std::optional<Seconds> pong_timeout = 10.0;   // nullopt = off
};

/// What the caller must do, in order.
struct Effect {
  enum class Kind : std::uint8_t {
    start,       // begin an attempt of this epoch
    abort,       // drop this epoch's transport at once
    send_close,  // write a Close frame on this epoch's transport, after what was accepted before
    ping,        // write a Ping frame on this epoch's transport
    ask,         // ask should_reconnect about this epoch's end
  };
  Kind kind = Kind::start;
  std::uint64_t epoch = 0;
  std::uint16_t code = 0;  // send_close
  std::string reason;      // send_close
};

/// How an open connection ended, as its transport reports it.
struct Loss {
  std::uint16_t code = 1006;
  std::string reason;
  bool clean = false;
  Initiator initiator = Initiator::network;
};

/// A lifecycle event; the fields that do not belong to its kind stay at their defaults.
struct Event {
  enum class Kind : std::uint8_t { connecting, connect, disconnect, reconnecting, error, closed };
  Kind kind = Kind::connecting;
  std::uint64_t life = 0;  // which life it belongs to; close() ends a life
  std::uint64_t epoch = 0;
  std::uint32_t attempt = 0;  // 1-based number of this attempt since the last stable connection
  bool is_reconnect = false;  // connect: this client had been open before
  Seconds downtime = 0.0;     // connect: seconds since the previous connection was lost (0 for the first)
  std::uint16_t code = 0;     // disconnect, closed
  std::string reason;         // disconnect
  bool clean = false;         // disconnect
  Initiator initiator = Initiator::network;  // disconnect
  Seconds uptime = 0.0;                      // disconnect
  bool will_reconnect = false;               // disconnect: the native verdict
  Seconds delay = 0.0;                       // reconnecting
  Seconds at = 0.0;                          // reconnecting: when, on the caller's clock
  bool after_connection = false;  // reconnecting: caused by the disconnect before it, not by an error
  bool fatal = false;             // error: no further attempt follows
  ClosedReason closed_reason = ClosedReason::none;  // closed
  Failure failure;                                  // error, and the last one for closed
  // disconnect: filled by whoever carries out the effects
  std::uint64_t unsent_messages = 0;
  std::uint64_t unsent_bytes = 0;
};

/// The answer of should_reconnect.
struct Answer {
  bool stop = false;
  std::optional<Seconds> delay;  // nullopt = the default delay
};

/// What the caller knows when the timer fires in `open`.
struct Wake {
  Seconds last_received = 0.0;  // when the last inbound byte arrived
  bool reading_paused = false;  // we do not read: the pong deadline rests
  bool slept = false;           // the machine was suspended since the timer was armed
};

class Lifecycle {
 public:
  /// The settings may be others' as well.
  explicit Lifecycle(std::shared_ptr<const Settings> settings);
  explicit Lifecycle(Settings settings);

  // Commands.
  void connect(Seconds now);    // no effect unless idle or closed
  void reconnect(Seconds now);  // from every state but destroyed
  void close(Seconds now, std::uint16_t code, std::string reason);
  void destroy();

  // Completions, each of one epoch.
  /// The attempt begins to dial only now: its deadline starts again.
  void dialing(Seconds now, std::uint64_t epoch);
  void opened(Seconds now, std::uint64_t epoch);
  void failed(Seconds now, std::uint64_t epoch, Failure failure, Draw draw);
  void lost(Seconds now, std::uint64_t epoch, Loss loss, Draw draw);
  void answered(Seconds now, std::uint64_t epoch, Answer answer);

  // The one timer. A call before the deadline has no effect; with ping_interval off, `open` has no deadline.
  void timer(Seconds now, Wake wake, Draw draw);

  [[nodiscard]] State state() const noexcept;
  [[nodiscard]] std::uint64_t epoch() const noexcept;
  [[nodiscard]] std::uint64_t life() const noexcept;  // grows with every close()
  [[nodiscard]] std::optional<Seconds> deadline() const noexcept;
  [[nodiscard]] Intent intent() const noexcept;
  [[nodiscard]] ClosedReason closed_reason() const noexcept;
  [[nodiscard]] std::uint32_t failures() const noexcept;
  /// The last failed attempt since the last open and the last start by the user; empty = none.
  [[nodiscard]] const Failure& last_failure() const noexcept;

  std::vector<Effect> take_effects();
  std::vector<Event> take_events();

 private:
  // A retry whose `reconnecting` waits for should_reconnect, or for the default delay to pass.
  struct Pending {
    Seconds failed_at = 0.0;
    Seconds delay = 0.0;
    bool after_connection = false;
  };

  // A Ping that nothing was received after yet.
  struct AwaitedPong {
    Seconds sent = 0.0;
    Seconds due = 0.0;
  };

  void start_fresh(Seconds now);
  void begin(Seconds now);
  void leave(Seconds now, Intent intent, std::uint16_t code, std::string reason);
  void fail(Seconds now, Failure failure, Draw draw);
  void lose(Seconds now, Loss loss, Draw draw);
  void finish(Seconds now, Loss loss);
  void expire(Seconds now, bool late, Draw draw);
  void listen(Seconds now, bool late, const Wake& wake, Draw draw);
  void ping(Seconds now);
  void await_pong(Seconds now);
  void wait_or_end(Seconds now, ClosedReason end, Seconds floor, bool after_connection, Draw draw);
  void announce(const Pending& pending, Seconds delay);
  void end(ClosedReason reason);
  [[nodiscard]] ClosedReason spent(Seconds now) const noexcept;
  [[nodiscard]] ClosedReason end_after(const Failure& failure, Seconds now) const;
  [[nodiscard]] ClosedReason end_after(const Loss& loss, Seconds now) const;
  void effect(Effect::Kind kind, std::uint64_t epoch);
  Event& event(Event::Kind kind);

  const std::shared_ptr<const Settings> settings_;
  State state_ = State::idle;
  Intent intent_ = Intent::stop;
  ClosedReason closed_reason_ = ClosedReason::none;
  std::uint64_t epoch_ = 0;  // of the present or the last attempt; the first is 1
  std::uint64_t life_ = 0;
  std::uint32_t failures_ = 0;
  std::optional<Seconds> deadline_;
  bool grace_used_ = false;      // connecting: the second after a late timer was given
  bool ever_opened_ = false;     // in this client's whole life
  Seconds failing_since_ = 0.0;  // when the present series of failures began
  Seconds opened_at_ = 0.0;
  std::optional<Seconds> ended_at_;              // when the previous connection ended
  std::optional<AwaitedPong> awaited_;           // open
  std::optional<Pending> pending_;               // backoff
  std::uint16_t last_code_ = 0;                  // how the last connection ended, until the next one opens
  std::unique_ptr<const Failure> last_failure_;  // nullptr: none
  std::vector<Effect> effects_;
  std::vector<Event> events_;
};

}  // namespace fastws::policy
