// The client's side on the I/O thread: carries out what the state machine asks, and tells it what the network did.
#include <algorithm>
#include <ctime>
#include <utility>

#include "../engine/http_response.hpp"
#include "../policy/verdict.hpp"
#include "client.hpp"
#include "rejection_hint.hpp"
#include "slab_pool.hpp"

namespace fastws::client {

using policy::State;

namespace {

// A deadline of the machine that the dialer knows as well: the dialer speaks first, for it knows how far it came.
constexpr double dialer_first = 0.02;
constexpr double suspended_if = 1.0;  // seconds by which the boot clock ran ahead
constexpr double quiet_after = 0.25;  // seconds without a byte
// Bytes between two quiet moments, from which on what was freed is worth giving back to the system.
constexpr std::uint64_t much = std::uint64_t{64} << 10;

/// Seconds this machine has spent suspended: what the boot clock counts and the monotonic one does not.
double suspended_so_far() {
  timespec boot{};
  timespec monotonic{};
  clock_gettime(CLOCK_BOOTTIME, &boot);
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  return static_cast<double>(boot.tv_sec - monotonic.tv_sec) +
         static_cast<double>(boot.tv_nsec - monotonic.tv_nsec) * 1e-9;
}

std::optional<double> retry_after(const Failure& failure) {
  for (const auto& header : failure.headers) {
    if (engine::equal_names(header.first, "Retry-After"))
      return policy::parse_retry_after(header.second, net::wall_now());
  }
  return std::nullopt;
}

}  // namespace

// --- Effects ---------------------------------------------------------------------------------------------------------

template <class Input>
void Client::step(Input input) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (destroyed_) return;
    input(machine_);
    collect();
  }
  carry_out();
}

void Client::carry_out() {
  for (;;) {
    policy::Effect effect;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (effects_.empty()) {
        std::vector<policy::Effect>().swap(effects_);  // the next ones may be hours away
        break;
      }
      effect = std::move(effects_.front());
      effects_.erase(effects_.begin());
      const bool outdated = effect.kind == policy::Effect::Kind::start &&
                            (machine_.state() != State::connecting || machine_.epoch() != effect.epoch);
      if (outdated) continue;
    }
    carry_out(effect);
  }
  std::vector<std::shared_ptr<Notice>> counted;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    counted.swap(awaiting_unsent_);
    for (const auto& notice : counted) {
      const Line::Unsent unsent = unsent_[notice->event.epoch];
      inbox_.complete(*notice, unsent.messages, unsent.bytes);
    }
    unsent_.clear();  // nothing else asks for an epoch that is over
  }
  arm();
  tell_successors();
}

void Client::carry_out(const policy::Effect& effect) {
  using Kind = policy::Effect::Kind;
  switch (effect.kind) {
    case Kind::start: start(effect.epoch); break;
    case Kind::abort: drop_transport(effect.epoch); break;
    case Kind::send_close:
      if (transport_ && transport_->epoch() == effect.epoch)
        transport_->send_close(effect.code, effect.reason);
      break;
    case Kind::ping:
      if (line_.epoch() == effect.epoch) {
        line_.send_control(engine::Opcode::ping, heartbeat_.next(net::monotonic_now()).payload);
      }
      break;
    case Kind::ask: ask_should_reconnect(effect.epoch); break;
  }
}

void Client::drop_transport(std::uint64_t epoch) {
  if (providing_ == epoch) providing_.reset();
  if (!transport_ || transport_->epoch() != epoch) return;
  const Line::Unsent unsent = transport_->end();
  transport_.reset();
  beat_timer_.reset();
  heartbeat_.reset();
  traffic_.opened_at.store(0.0);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    unsent_[epoch] = unsent;
  }
  changed();
}

void Client::ask_should_reconnect(std::uint64_t epoch) {
  Question question;
  question.kind = Question::Kind::should_reconnect;
  const std::lock_guard<std::mutex> lock(mutex_);
  question.epoch = epoch;
  question.attempt = machine_.failures();
  question.is_reconnect = ever_open_;
  question.last_close = last_close_;
  question.last_error = last_error();
  asking_->ask(std::move(question));
  bell_.ring();
}

void Client::shut_down(double grace) {
  if (older_in_the_way() == nullptr) predecessor_.reset();  // its successor need not find it through us
  providing_.reset();
  timer_.reset();
  burst_timer_.reset();
  quiet_timer_.reset();
  offline_timer_.reset();
  beat_timer_.reset();
  if (!transport_) {
    tell_successors();
    return;
  }
  transport_->end_gently(1001, net::monotonic_now() + grace,
                         [self = shared_from_this()] {  // 1001: going away
                           self->transport_.reset();
                           self->tell_successors();
                         });
}

// --- Time ------------------------------------------------------------------------------------------------------------

std::optional<double> Client::deadline() const {
  std::optional<double> deadline = machine_.deadline();
  if (deadline && machine_.state() == State::connecting) *deadline += dialer_first;
  return deadline;
}

void Client::arm() {
  std::optional<double> deadline;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    deadline = this->deadline();
  }
  if (deadline == armed_) return;
  armed_ = deadline;
  if (!timer_) timer_ = std::make_unique<net::Timer>(io_.loop());
  if (!deadline) {
    timer_->cancel();
    return;
  }
  suspended_ = suspended_so_far();
  timer_->at(*deadline, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->timer_fired();
  });
}

void Client::timer_fired() {
  armed_.reset();
  const double now = net::monotonic_now();
  if (predecessor_) {
    // Waits for an older client and has not dialed: the time for that has not begun.
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      machine_.dialing(now, machine_.epoch());
    }
    arm();
    return;
  }
  policy::Wake wake;
  wake.slept = suspended_so_far() - suspended_ > suspended_if;
  wake.last_received = transport_ ? transport_->last_received() : now;
  wake.reading_paused = transport_ && transport_->paused();
  std::optional<Failure> failure;
  std::uint64_t epoch = 0;
  bool due = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    // A command may have begun something new when the timer had expired: its time is not over.
    const std::optional<double> deadline = this->deadline();
    due = deadline && now >= *deadline;
    epoch = machine_.epoch();
    const bool late = wake.slept || (machine_.deadline() && now > *machine_.deadline() + 1.0);
    if (due && machine_.state() == State::connecting && !late) {
      failure.emplace();
      failure->phase = providing_ ? Phase::provider : Phase::timeout;
      const std::string within =
          " within " + std::to_string(options_->life.connect_timeout).substr(0, 5) + " s";
      failure->message =
          providing_ ? "the url or headers provider did not answer" + within + "; a provider must be quick"
                     : shown_url_ + ": no WebSocket handshake" + within + "; is it a WebSocket server?";
    }
  }
  if (!due) {
    arm();
    return;
  }
  if (failure) {
    attempt_failed(epoch, std::move(*failure));
    return;
  }
  step([&](policy::Lifecycle& machine) { machine.timer(now, wake, draw()); });
}

void Client::check_bursts() {
  for (auto& notice : inbox_.take_dropped(net::monotonic_now())) inbox_.notify(std::move(notice));
  const auto next = inbox_.burst_check();
  if (!next) {
    burst_timer_.reset();
    return;
  }
  if (!burst_timer_) burst_timer_ = std::make_unique<net::Timer>(io_.loop());
  burst_timer_->at(*next, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->check_bursts();
  });
}

/// A steady stream costs four looks at the clock a second, a connection that has nothing to say none.
void Client::watch_for_quiet() {
  const double now = net::monotonic_now();
  const double quiet_at = transport_ ? transport_->last_received() + quiet_after : now;
  if (quiet_at <= now) {
    quiet_timer_.reset();
    if (transport_) transport_->give_back();
    inbox_.give_back();
    const std::uint64_t received = traffic_.bytes_in.load(std::memory_order_relaxed);
    if (received - std::exchange(received_before_, received) >= much) {
      SlabPool::instance().give_back();
      io_.trimmer().went_quiet();
    }
    return;
  }
  if (!quiet_timer_) quiet_timer_ = std::make_unique<net::Timer>(io_.loop());
  quiet_timer_->at(quiet_at, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->watch_for_quiet();
  });
}

policy::Draw Client::draw() {
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  const double jitter = uniform(io_.random);
  return {jitter, uniform(io_.random)};
}

// --- What the transport tells ----------------------------------------------------------------------------------------

void Client::transport_opened(engine::Response response, std::shared_ptr<engine::Deflater> deflater) {
  const double now = net::monotonic_now();
  const std::uint64_t epoch = transport_->epoch();
  keep_cookies(response.headers);
  attempt_.reset();
  received_before_ -= much;  // a handshake needs as much memory; the difference is what counts, modulo 2^64
  bool wanted = false;
  // In one step: a command that comes before it finds no line open, and one that comes after it an open connection.
  step([&](policy::Lifecycle& machine) {
    wanted = machine.state() == State::connecting && machine.epoch() == epoch;
    if (wanted) {
      sticky_.open(epoch, std::move(deflater));
      ever_open_ = true;
      traffic_.connects.fetch_add(1);
      traffic_.opened_at.store(now);
      inbox_.first_open(now);
      response_headers_ = std::move(response.headers);
      subprotocol_ = std::move(response.subprotocol);
    }
    machine.opened(now, epoch);
  });
  if (!wanted || !transport_ || transport_->epoch() != epoch) return;
  begin_beats();
  if (!expect_release_.load()) release(epoch);
}

void Client::attempt_failed(std::uint64_t epoch, Failure failure) {
  traffic_.failures.fetch_add(1);
  if (!failure.retry_after) failure.retry_after = retry_after(failure);
  if (failure.phase == Phase::http && attempt_) {
    failure.message = attempt_->url.shown() + ": " + failure.message +
                      rejection_hint(failure, attempt_->url, options_->life.reconnect);
  }
  drop_transport(epoch);
  step([&](policy::Lifecycle& machine) {
    machine.failed(net::monotonic_now(), epoch, std::move(failure), draw());
  });
}

void Client::transport_lost(policy::Loss loss, std::optional<Failure> fault) {
  const std::uint64_t epoch = transport_->epoch();
  drop_transport(epoch);
  if (fault) tell(std::move(*fault), epoch, transport_life_);
  step([&](policy::Lifecycle& machine) {
    machine.lost(net::monotonic_now(), epoch, std::move(loss), draw());
  });
}

void Client::tell(Failure failure, std::uint64_t epoch, std::uint64_t life) {
  auto notice = std::make_shared<Notice>();
  notice->when = net::monotonic_now();
  notice->event.kind = policy::Event::Kind::error;
  notice->event.epoch = epoch;
  notice->event.life = life;
  notice->event.failure = std::move(failure);
  const std::lock_guard<std::mutex> lock(mutex_);
  notice->url = shown_url_;
  inbox_.notify(std::move(notice));
}

void Client::transport_pong(std::string_view payload) {
  if (heartbeat_.answered(payload, net::monotonic_now())) changed();
}

void Client::bytes_received(std::size_t size) {
  traffic_.bytes_in.fetch_add(size, std::memory_order_relaxed);
}

}  // namespace fastws::client
