// What a client sends when its user says so: at once, into the offline queue, on every connection, and a Ping.
#include <algorithm>
#include <chrono>
#include <utility>

#include "client.hpp"

namespace fastws::client {

using policy::State;

// --- Messages --------------------------------------------------------------------------------------------------------

Client::Sent Client::send(engine::Opcode opcode, std::string_view payload, std::uint64_t epoch,
                          std::optional<double> until) {
  Sending sending;
  const Sent sent = send_many(opcode, &payload, 1, epoch, until, sending);
  return sent == Sent::accepted && sending.accepted == 0 ? Sent::dropped : sent;
}

Client::Sent Client::send_many(engine::Opcode opcode, const std::string_view* payloads, std::size_t size,
                               std::uint64_t epoch, std::optional<double> until, Sending& sending) {
  const auto* const end =
      std::find_if(payloads + sending.done, payloads + size,
                   [this](std::string_view one) { return one.size() > options_->max_message_bytes; });
  const auto allowed = static_cast<std::size_t>(end - payloads);
  const Sent sent = send_allowed(opcode, payloads, allowed, epoch, until, sending);
  return sent == Sent::accepted && allowed != size ? Sent::too_big : sent;
}

Client::Sent Client::send_allowed(engine::Opcode opcode, const std::string_view* payloads, std::size_t size,
                                  std::uint64_t epoch, std::optional<double> until, Sending& sending) {
  // What a `connect` handler sends belongs to its connection and is never stored (R8).
  const bool may_be_stored = epoch == 0 && offline_;
  // Having waited for room, others must not cross to the next connection: theirs is settled before the first try.
  if (sending.epoch == 0) sending.epoch = epoch != 0 ? epoch : line_.epoch();
  while (sending.done < size) {
    std::uint64_t of = sending.epoch;
    if (may_be_stored) {
      const auto put = offline_->put(opcode, payloads[sending.done], net::monotonic_now(), of);
      if (put != Offline::Put::direct) {
        watch_offline();
        if (put == Offline::Put::refused) return Sent::refused;
        if (put == Offline::Put::stored) ++sending.accepted;
        ++sending.done;
        continue;
      }
    }
    std::size_t taken = 0;
    const Line::Sent sent =
        line_.send_many(opcode, payloads + sending.done, size - sending.done, of, until, taken);
    sending.done += taken;
    sending.accepted += taken;
    if (sent == Line::Sent::full) return Sent::full;
    if (sent == Line::Sent::accepted) break;
    if (may_be_stored) {
      offline_->lost(of);  // and then into the queue
      continue;
    }
    if (epoch == 0 && options_->offline.policy == OfflineOptions::Policy::raise) return Sent::refused;
    traffic_.dropped_offline.fetch_add(size - sending.done, std::memory_order_relaxed);
    sending.done = size;
  }
  return Sent::accepted;
}

Line::Gathered Client::gather(engine::Opcode opcode, std::string_view payload, std::uint64_t epoch) {
  if (offline_ || payload.size() > options_->max_message_bytes) return Line::Gathered::no;
  return line_.gather(opcode, payload, epoch);
}

std::uint64_t Client::dropped_offline() const { return traffic_.dropped_offline.load() + stored().dropped; }

// --- Waiting until it is written -------------------------------------------------------------------------------------

Client::Flushing Client::begin_flush(bool stored_too) {
  Flushing flushing;
  flushing.lost_before = line_.lost();
  if (stored_too && stored().messages != 0) flushing.stored = offline_->watch();
  return flushing;
}

Departures::Waited Client::await_flush(Flushing& flushing, std::optional<double> until) {
  using Waited = Departures::Waited;
  if (!flushing.written) {
    Waited none_open = Waited::lost;
    if (flushing.stored) {
      const Waited waited = offline_->await_left(*flushing.stored, until);
      if (waited != Waited::left) return waited;
      // It went to a connection, which may be over by now.
      if (line_.lost() != flushing.lost_before) return Waited::lost;
      none_open = Waited::left;
    }
    if (line_.epoch() == 0) return none_open;
    flushing.written = line_.watch();
  }
  return line_.await_written(*flushing.written, until);
}

// --- Every connection ------------------------------------------------------------------------------------------------

bool Client::set_sticky(const std::string& key, std::string_view text, bool after_connect) {
  return sticky_.set(key, text, after_connect);
}

bool Client::unset_sticky(const std::string& key) { return sticky_.unset(key); }

void Client::release(std::uint64_t epoch) {
  sticky_.release(epoch);
  if (!offline_) return;
  offline_->release(
      epoch, net::monotonic_now(), [&] { return line_.epoch() == epoch; },
      [&](const Frames& frames) { return line_.push(frames, epoch, Line::Write::now); });
  watch_offline();
}

void Client::follow_offline(State now) {
  if (!offline_) return;
  switch (now) {
    case State::open: break;  // release() says when it takes messages
    case State::closing:
      if (machine_.intent() == policy::Intent::restart) {
        offline_->hold();
      } else {
        offline_->close(false, net::monotonic_now());
      }
      break;
    case State::closed:
      offline_->close(machine_.closed_reason() != policy::ClosedReason::user, net::monotonic_now());
      break;
    case State::destroyed: offline_->close(false, net::monotonic_now()); break;
    case State::idle:
    case State::connecting:
    case State::backoff: offline_->hold(); break;
  }
}

void Client::watch_offline() {
  if (!offline_->burst_check() || offline_watched_.exchange(true)) return;
  io_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->check_offline();
  });
}

void Client::check_offline() {
  const double now = net::monotonic_now();
  if (const auto dropped = offline_->take_dropped(now)) {
    auto notice = std::make_shared<Notice>();
    notice->kind = Notice::Kind::dropped;
    notice->cause = "offline";
    notice->dropped = *dropped;
    notice->event.life = life();
    inbox_.notify(std::move(notice));
  }
  const auto next = offline_->burst_check();
  if (!next) {
    offline_timer_.reset();
    offline_watched_.store(false);
    watch_offline();  // for one that began in between
    return;
  }
  if (!offline_timer_) offline_timer_ = std::make_unique<net::Timer>(io_.loop());
  offline_timer_->at(*next, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->check_offline();
  });
}

// --- By itself, on the I/O thread ------------------------------------------------------------------------------------

// A full outbox has enough to send, and nothing here may wait.

void Client::reply_to(std::string_view text) {
  const std::string* reply = replies_.reply_to(text);
  // What is due goes to the outbox at the end of the read: both count against its limit.
  if (reply == nullptr || line_.waiting_bytes() + due_.bytes.size() >= options_->outbox_bytes) return;
  due_.add(engine::Opcode::text, *reply);
}

void Client::push_replies() {
  if (due_.sizes.empty()) return;
  // Only now: messages that came with the server's handshake are read before the line is open.
  if (transport_) line_.push(due_, transport_->epoch(), Line::Write::at_flush);
  due_ = {};
}

void Client::begin_beats() {
  beat_at_ = net::monotonic_now();
  arm_beat();
}

void Client::arm_beat() {
  if (!options_->beat) return;
  beat_at_ = std::max(beat_at_ + options_->beat->every, net::monotonic_now());
  if (!beat_timer_) beat_timer_ = std::make_unique<net::Timer>(io_.loop());
  beat_timer_->at(beat_at_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->beat();
  });
}

void Client::beat() {
  const auto transport = transport_;  // which may end while it writes
  if (!transport) return;
  if (!line_.full()) {
    Frames frames;
    frames.add(engine::Opcode::text, options_->beat->text);
    line_.push(frames, transport->epoch(), Line::Write::at_flush);
  }
  arm_beat();
  transport->flush();
}

// --- Pings -----------------------------------------------------------------------------------------------------------

std::optional<Client::Pinged> Client::ping() {
  const auto ping = heartbeat_.next(net::monotonic_now());
  const std::uint64_t epoch = line_.epoch();
  if (epoch == 0 || !line_.send_control(engine::Opcode::ping, ping.payload)) return std::nullopt;
  return Pinged{ping.number, epoch};
}

Client::Pong Client::await_pong(const Pinged& ping, std::optional<double> until, double& seconds) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    if (const auto round_trip = heartbeat_.round_trip(ping.number)) {
      seconds = *round_trip;
      return Pong::arrived;
    }
    if (line_.epoch() != ping.epoch || destroyed_) return Pong::lost;
    const auto limit = until ? time_point(*until) : std::chrono::steady_clock::now() + std::chrono::hours(1);
    if (until && std::chrono::steady_clock::now() >= limit) return Pong::not_yet;
    changed_.sleep_until(lock, limit);
  }
}

}  // namespace fastws::client
