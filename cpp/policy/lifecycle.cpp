// What each move of the table does (reconnect-spec sections 3, 7 and 8).
//
// Every public function looks its move up and makes it, nothing else; a completion of another epoch than the
// present one is turned away before the table is asked (R1). So the machine can be checked cell by cell.
#include "lifecycle.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

#include "lifecycle_table.hpp"
#include "verdict.hpp"

namespace fastws::policy {

namespace {

// A timer later than this tells of a sleep or of a stopped process, not of a slow network (R20).
constexpr Seconds late_by = 1.0;
// What an attempt gets then, to take up a handshake that is complete already.
constexpr Seconds grace_second = 1.0;
constexpr std::uint16_t normal_closure = 1000;
constexpr std::uint16_t going_away = 1001;
constexpr std::uint16_t abnormal_closure = 1006;

bool holds_transport(State state) {
  return state == State::connecting || state == State::open || state == State::closing;
}

std::string no_connection_within(Seconds timeout) {
  std::array<char, 32> number{};
  std::snprintf(number.data(), number.size(), "%g", timeout);
  return std::string("no connection within ") + number.data() +
         " s; is the server reachable, and does it answer with a WebSocket handshake?";
}

}  // namespace

Lifecycle::Lifecycle(std::shared_ptr<const Settings> settings) : settings_(std::move(settings)) {}
Lifecycle::Lifecycle(Settings settings) : Lifecycle(std::make_shared<const Settings>(std::move(settings))) {}

// --- Commands --------------------------------------------------------------------------------------------------------

void Lifecycle::connect(Seconds now) {
  if (move_of(state_, Input::connect) == Move::fresh) start_fresh(now);
}

void Lifecycle::reconnect(Seconds now) {
  switch (move_of(state_, Input::reconnect)) {
    case Move::redial: effect(Effect::Kind::abort, epoch_); [[fallthrough]];
    case Move::fresh: start_fresh(now); break;
    case Move::leave: leave(now, Intent::restart, normal_closure, {}); break;
    case Move::turn: intent_ = Intent::restart; break;
    default: break;
  }
}

void Lifecycle::close(Seconds now, std::uint16_t code, std::string reason) {
  const Move move = move_of(state_, Input::close);
  if (move == Move::none) return;
  ++life_;  // first: what was queued before belongs to a finished life, what follows does not (R2)
  switch (move) {
    case Move::leave: leave(now, Intent::stop, code, std::move(reason)); break;
    case Move::turn: intent_ = Intent::stop; break;
    case Move::end:
      if (holds_transport(state_)) effect(Effect::Kind::abort, epoch_);
      end(ClosedReason::user);
      break;
    default: break;
  }
}

void Lifecycle::destroy() {
  if (move_of(state_, Input::destroy) != Move::vanish) return;
  events_.clear();
  const auto is_abort = [](const Effect& effect) { return effect.kind == Effect::Kind::abort; };
  effects_.erase(std::stable_partition(effects_.begin(), effects_.end(), is_abort), effects_.end());
  if (holds_transport(state_)) effect(Effect::Kind::abort, epoch_);
  state_ = State::destroyed;
  deadline_.reset();
  pending_.reset();
}

// --- Completions -----------------------------------------------------------------------------------------------------

void Lifecycle::dialing(Seconds now, std::uint64_t epoch) {
  if (epoch != epoch_ || move_of(state_, Input::dialing) != Move::extend) return;
  deadline_ = now + settings_->connect_timeout;
  grace_used_ = false;
}

void Lifecycle::opened(Seconds now, std::uint64_t epoch) {
  const Move move = epoch == epoch_ ? move_of(state_, Input::opened) : Move::stray;
  if (move == Move::stray) effect(Effect::Kind::abort, epoch);
  if (move != Move::open) return;
  state_ = State::open;
  opened_at_ = now;
  awaited_.reset();
  deadline_.reset();
  if (settings_->ping_interval) deadline_ = now + *settings_->ping_interval;
  last_failure_.reset();
  last_code_ = 0;
  Event& connect = event(Event::Kind::connect);
  connect.attempt = failures_ + 1;
  connect.is_reconnect = ever_opened_;
  if (ended_at_) connect.downtime = now - *ended_at_;
  ever_opened_ = true;
}

void Lifecycle::failed(Seconds now, std::uint64_t epoch, Failure failure, Draw draw) {
  if (epoch != epoch_ || move_of(state_, Input::failed) != Move::fail) return;
  fail(now, std::move(failure), draw);
}

void Lifecycle::lost(Seconds now, std::uint64_t epoch, Loss loss, Draw draw) {
  if (epoch != epoch_) return;
  switch (move_of(state_, Input::lost)) {
    case Move::lose: lose(now, std::move(loss), draw); break;
    case Move::finish: finish(now, std::move(loss)); break;
    default: break;
  }
}

void Lifecycle::answered(Seconds, std::uint64_t epoch, Answer answer) {
  if (epoch != epoch_ || move_of(state_, Input::answered) != Move::answer || !pending_) return;
  const Pending pending = *std::exchange(pending_, std::nullopt);
  if (answer.stop) {
    end(ClosedReason::fatal);
    return;
  }
  // The user's delay counts from the failure, as the default does; one that is no waiting time is no answer.
  const bool usable = answer.delay && std::isfinite(*answer.delay) && *answer.delay >= 0.0;
  announce(pending, usable ? *answer.delay : pending.delay);
}

void Lifecycle::timer(Seconds now, Wake wake, Draw draw) {
  if (!deadline_ || now < *deadline_) return;
  const bool late = wake.slept || now > *deadline_ + late_by;
  switch (move_of(state_, Input::timer)) {
    case Move::expire: expire(now, late, draw); break;
    case Move::listen: listen(now, late, wake, draw); break;
    case Move::retry:
      if (pending_) announce(*pending_, pending_->delay);  // the answer is late: the default holds
      begin(now);
      break;
    case Move::finish:
      effect(Effect::Kind::abort, epoch_);
      finish(now, {abnormal_closure, {}, false, Initiator::user});
      break;
    default: break;
  }
}

// --- Moves -----------------------------------------------------------------------------------------------------------

void Lifecycle::start_fresh(Seconds now) {
  failures_ = 0;
  failing_since_ = now;
  last_failure_.reset();
  last_code_ = 0;
  begin(now);
}

void Lifecycle::begin(Seconds now) {
  state_ = State::connecting;
  closed_reason_ = ClosedReason::none;
  ++epoch_;
  pending_.reset();
  grace_used_ = false;
  deadline_ = now + settings_->connect_timeout;
  effect(Effect::Kind::start, epoch_);
  event(Event::Kind::connecting).attempt = failures_ + 1;
}

void Lifecycle::leave(Seconds now, Intent intent, std::uint16_t code, std::string reason) {
  state_ = State::closing;
  intent_ = intent;
  deadline_ = now + settings_->close_timeout;
  effect(Effect::Kind::send_close, epoch_);
  effects_.back().code = code;
  effects_.back().reason = std::move(reason);
}

void Lifecycle::expire(Seconds now, bool late, Draw draw) {
  if (late && !grace_used_) {
    grace_used_ = true;
    deadline_ = now + grace_second;
    return;
  }
  Failure failure;
  failure.phase = Phase::timeout;
  failure.message = no_connection_within(settings_->connect_timeout);
  fail(now, std::move(failure), draw);
}

void Lifecycle::fail(Seconds now, Failure failure, Draw draw) {
  effect(Effect::Kind::abort, epoch_);
  const ClosedReason end = end_after(failure, now);
  last_failure_ = std::make_unique<const Failure>(std::move(failure));
  Event& error = event(Event::Kind::error);
  error.attempt = failures_ + 1;
  error.fatal = end != ClosedReason::none;
  error.failure = *last_failure_;
  const double asked = last_failure_->retry_after.value_or(0.0);
  wait_or_end(now, end, retry_after_floor(settings_->backoff, asked, draw.hint), false, draw);
}

void Lifecycle::lose(Seconds now, Loss loss, Draw draw) {
  const Seconds uptime = now - opened_at_;
  if (uptime >= settings_->backoff.min_uptime) {
    failures_ = 0;
    failing_since_ = now;
  }
  ended_at_ = now;
  last_code_ = loss.code;
  const ClosedReason end = end_after(loss, now);
  const double floor = close_code_floor(settings_->backoff, loss.code, draw.jitter, draw.hint);
  Event& disconnect = event(Event::Kind::disconnect);
  disconnect.code = loss.code;
  disconnect.reason = std::move(loss.reason);
  disconnect.clean = loss.clean;
  disconnect.initiator = loss.initiator;
  disconnect.uptime = uptime;
  disconnect.will_reconnect = end == ClosedReason::none;
  wait_or_end(now, end, floor, true, draw);
}

/// The end of a connection that we were closing: whatever the transport reports, it was us, and no verdict is asked.
void Lifecycle::finish(Seconds now, Loss loss) {
  ended_at_ = now;
  last_code_ = loss.code;
  Event& disconnect = event(Event::Kind::disconnect);
  disconnect.code = loss.code;
  disconnect.reason = std::move(loss.reason);
  disconnect.clean = loss.clean;
  disconnect.initiator = Initiator::user;
  disconnect.uptime = now - opened_at_;
  disconnect.will_reconnect = intent_ == Intent::restart;
  if (intent_ == Intent::restart) {
    start_fresh(now);
  } else {
    end(ClosedReason::user);
  }
}

/// Liveness (section 8). One lazy timer: bytes that arrive move nothing, its expiry looks when the last one came.
void Lifecycle::listen(Seconds now, bool late, const Wake& wake, Draw draw) {
  if (late) {
    // A sleep or a stopped process is no silence of the peer: ask again, with all its time to answer (R20).
    ping(now);
    return;
  }
  const Seconds heard = std::max(wake.last_received, opened_at_);
  if (!awaited_ || heard >= awaited_->sent) {
    awaited_.reset();
    deadline_ = heard + *settings_->ping_interval;
    if (*deadline_ <= now) ping(now);
    return;
  }
  // While we do not read, nothing can be heard: the pong's deadline rests.
  if (wake.reading_paused) awaited_->due = now + *settings_->pong_timeout;
  if (now < awaited_->due) {
    await_pong(now);
    return;
  }
  effect(Effect::Kind::abort, epoch_);
  lose(now, {abnormal_closure, "ping timeout", false, Initiator::liveness}, draw);
}

void Lifecycle::ping(Seconds now) {
  effect(Effect::Kind::ping, epoch_);
  if (settings_->pong_timeout) {
    awaited_ = {now, now + *settings_->pong_timeout};
    await_pong(now);
  } else {
    deadline_ = now + *settings_->ping_interval;
  }
}

/// Looks once per ping_interval while a long pong_timeout runs, or the silence after a late byte would be seen late.
void Lifecycle::await_pong(Seconds now) {
  deadline_ = std::min(awaited_->due, now + *settings_->ping_interval);
}

/// After a failure or a loss: the wait before the next attempt, or the end.
void Lifecycle::wait_or_end(Seconds now, ClosedReason reason, Seconds floor, bool after_connection,
                            Draw draw) {
  if (reason != ClosedReason::none) {
    end(reason);
    return;
  }
  const Seconds wait = std::max(delay(settings_->backoff, failures_, draw.jitter), floor);
  if (failures_ < std::numeric_limits<std::uint32_t>::max() - 1) ++failures_;
  state_ = State::backoff;
  const Pending pending{now, wait, after_connection};
  if (settings_->asks) {
    pending_ = pending;
    deadline_ = now + wait;
    effect(Effect::Kind::ask, epoch_);
  } else {
    announce(pending, wait);
  }
}

void Lifecycle::announce(const Pending& pending, Seconds delay) {
  deadline_ = pending.failed_at + delay;
  Event& reconnecting = event(Event::Kind::reconnecting);
  reconnecting.attempt = failures_;
  reconnecting.delay = delay;
  reconnecting.at = *deadline_;
  reconnecting.after_connection = pending.after_connection;
}

void Lifecycle::end(ClosedReason reason) {
  state_ = State::closed;
  closed_reason_ = reason;
  deadline_.reset();
  pending_.reset();
  Event& closed = event(Event::Kind::closed);
  closed.code = last_code_;
  closed.closed_reason = reason;
  closed.failure = last_failure();
}

// --- Verdicts --------------------------------------------------------------------------------------------------------

ClosedReason Lifecycle::spent(Seconds now) const noexcept {
  const Backoff& backoff = settings_->backoff;
  const bool often = backoff.max_retries && failures_ >= *backoff.max_retries;
  const bool long_enough = backoff.max_elapsed && now - failing_since_ >= *backoff.max_elapsed;
  return often || long_enough ? ClosedReason::exhausted : ClosedReason::none;
}

ClosedReason Lifecycle::end_after(const Failure& failure, Seconds now) const {
  if (!settings_->reconnect) return ClosedReason::exhausted;
  if (judge(failure, ever_opened_, settings_->has_provider) == Verdict::stop) return ClosedReason::fatal;
  return spent(now);
}

ClosedReason Lifecycle::end_after(const Loss& loss, Seconds now) const {
  const bool ended_well = loss.code == normal_closure || loss.code == going_away;
  if (!settings_->reconnect) {
    return ended_well && loss.initiator == Initiator::server ? ClosedReason::server : ClosedReason::exhausted;
  }
  if (judge(settings_->backoff, loss.code) == Verdict::stop) return ClosedReason::fatal;
  return spent(now);
}

// --- What comes out --------------------------------------------------------------------------------------------------

void Lifecycle::effect(Effect::Kind kind, std::uint64_t epoch) {
  effects_.emplace_back();
  effects_.back().kind = kind;
  effects_.back().epoch = epoch;
}

Event& Lifecycle::event(Event::Kind kind) {
  Event& made = events_.emplace_back();
  made.kind = kind;
  made.life = life_;
  made.epoch = epoch_;
  return made;
}

State Lifecycle::state() const noexcept { return state_; }
std::uint64_t Lifecycle::epoch() const noexcept { return epoch_; }
std::uint64_t Lifecycle::life() const noexcept { return life_; }
std::optional<Seconds> Lifecycle::deadline() const noexcept { return deadline_; }
Intent Lifecycle::intent() const noexcept { return intent_; }
ClosedReason Lifecycle::closed_reason() const noexcept { return closed_reason_; }
std::uint32_t Lifecycle::failures() const noexcept { return failures_; }
const Failure& Lifecycle::last_failure() const noexcept {
  static const Failure none;
  return last_failure_ ? *last_failure_ : none;
}

std::vector<Effect> Lifecycle::take_effects() { return std::exchange(effects_, {}); }
std::vector<Event> Lifecycle::take_events() { return std::exchange(events_, {}); }

}  // namespace fastws::policy
