// The state machine with a virtual clock for policy tests: what comes out of it as one list of words, in order.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../../cpp/policy/lifecycle.hpp"

namespace fastws::policy::testing {

using Words = std::vector<std::string>;

inline Failure refused() {
  Failure failure;
  failure.phase = Phase::tcp;
  failure.message = "refused";
  return failure;
}

inline Failure rejected(int status) {
  Failure failure;
  failure.phase = Phase::http;
  failure.message = "rejected";
  failure.http_status = status;
  return failure;
}

inline Loss closed_by_server(std::uint16_t code) { return {code, "", true, Initiator::server}; }

inline std::string word(const Effect& effect) {
  const std::string epoch = std::to_string(effect.epoch);
  switch (effect.kind) {
    case Effect::Kind::start: return "start " + epoch;
    case Effect::Kind::abort: return "abort " + epoch;
    case Effect::Kind::send_close:
      return "send_close " + epoch + " " + std::to_string(effect.code) + effect.reason;
    case Effect::Kind::ping: return "ping " + epoch;
    case Effect::Kind::ask: return "ask " + epoch;
  }
  return "";
}

inline std::string word(const Event& event) {
  switch (event.kind) {
    case Event::Kind::connecting: return "connecting";
    case Event::Kind::connect: return "connect";
    case Event::Kind::disconnect: return "disconnect " + std::to_string(event.code);
    case Event::Kind::reconnecting: return "reconnecting";
    case Event::Kind::error: return event.fatal ? "error fatal" : "error";
    case Event::Kind::closed: break;
  }
  switch (event.closed_reason) {
    case ClosedReason::none: break;
    case ClosedReason::user: return "closed user";
    case ClosedReason::fatal: return "closed fatal";
    case ClosedReason::exhausted: return "closed exhausted";
    case ClosedReason::server: return "closed server";
  }
  return "closed for no reason";
}

/// One machine. The short forms act now, on the present epoch, with no jitter and a reader that just heard something.
class Machine {
 public:
  explicit Machine(Settings settings = {}) : life(std::move(settings)) {}

  void connect() { life.connect(now); }
  void reconnect() { life.reconnect(now); }
  void close() { life.close(now, 1000, ""); }
  void open() { life.opened(now, life.epoch()); }
  void fail(Failure failure = refused(), Draw draw = {}) {
    life.failed(now, life.epoch(), std::move(failure), draw);
  }
  void lose(Loss loss = {}, Draw draw = {}) { life.lost(now, life.epoch(), std::move(loss), draw); }
  void answer(Answer answer) { life.answered(now, life.epoch(), answer); }

  /// The timer fires `late` seconds after its deadline; the last byte came at `heard`.
  void fire(Seconds late = 0.0, bool slept = false, Draw draw = {}) {
    now = *life.deadline() + late;
    life.timer(now, {heard, paused, slept}, draw);
  }

  void go_to(State state) {
    if (state == State::idle) return;
    if (state == State::destroyed) return life.destroy();
    connect();
    if (state == State::backoff) fail();
    if (state == State::closed) close();
    if (state == State::open || state == State::closing) open();
    if (state == State::closing) close();
    said();
  }

  /// The effects and then the events since the last call. The events are kept in `events`.
  Words said() {
    Words words;
    for (const Effect& effect : life.take_effects()) words.push_back(word(effect));
    events = life.take_events();
    for (const Event& event : events) words.push_back(word(event));
    return words;
  }

  Seconds now = 100.0;
  Seconds heard = 0.0;
  bool paused = false;
  Lifecycle life;
  std::vector<Event> events;
};

}  // namespace fastws::policy::testing
