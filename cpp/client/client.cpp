// The client's face to other threads: commands run the state machine on the caller's thread, effects go to the I/O thread.
#include "client.hpp"

#include <algorithm>
#include <utility>

#include "process.hpp"

namespace fastws::client {

using policy::State;

namespace {

/// A part of what is shared, which keeps all of it.
template <class Part>
std::shared_ptr<const Part> part(const std::shared_ptr<const Options>& options,
                                 const Part Options::* member) {
  return {options, &(*options.*member)};
}

std::unique_ptr<Offline> offline_for(const OfflineOptions& options, Bell* bell) {
  const bool queues = options.policy == OfflineOptions::Policy::queue;
  return queues ? std::make_unique<Offline>(options, bell) : nullptr;
}

std::unique_ptr<Asking> asking_for(const Options& options) {
  const bool asks = options.url_provider || options.headers_provider || options.life.asks;
  return asks ? std::make_unique<Asking>() : nullptr;
}

}  // namespace

Client::Client(Target target, std::shared_ptr<const Options> options)
    : target_(std::move(target)),
      options_(std::move(options)),
      io_(IoThread::instance()),
      inbox_({options_->inbox_messages, options_->inbox_bytes, options_->settle},
             part(options_, &Options::overflow), &bell_,
             [this] {  // by consumers' threads, too: the server may never say anything again
               io_.post([weak = weak_from_this()] {
                 if (const auto self = weak.lock()) self->check_bursts();
               });
             }),
      line_(
          options_->outbox_bytes,
          [this] {
            if (flush_posted_.exchange(true)) return;
            io_.post([weak = weak_from_this()] {
              const auto self = weak.lock();
              if (!self) return;
              self->flush_posted_.store(false);
              if (self->transport_) self->transport_->flush();
            });
          },
          &bell_),
      sticky_(line_),
      offline_(offline_for(options_->offline, &bell_)),
      replies_(options_->replies),
      asking_(asking_for(*options_)),
      machine_(part(options_, &Options::life)),
      shown_url_(target_.url ? target_.url->shown() : "") {}

Client::~Client() = default;

std::shared_ptr<Client> Client::make(Target target, std::shared_ptr<const Options> options,
                                     std::shared_ptr<Client> predecessor) {
  std::shared_ptr<Client> made(new Client(std::move(target), std::move(options)));
  if (!made->options_->record.empty()) made->begin_recording();
  made->predecessor_ = std::move(predecessor);
  remember(made);
  return made;
}

void Client::begin_recording() {
  recorder_ =
      std::make_unique<Recorder>(options_->record, [&io = io_, weak = weak_from_this()](std::string why) {
        io.post([weak, why = std::move(why)] {
          const auto self = weak.lock();
          if (!self) return;
          Failure failure;
          failure.phase = Phase::record;
          failure.message = why;
          self->tell(std::move(failure), self->epoch(), self->life());
        });
      });
}

// --- The state machine -----------------------------------------------------------------------------------------------

void Client::collect() {
  if (machine_.life() != life_.load()) {
    // close(): first nothing of the old life is given any more, then its last events are queued.
    life_.store(machine_.life());
    inbox_.end_life(machine_.life());
  }
  for (auto& effect : machine_.take_effects()) effects_.push_back(std::move(effect));
  for (auto& event : machine_.take_events()) inbox_.notify(notice_for(std::move(event)));
  const State state = machine_.state();
  follow_offline(state);
  inbox_.set_over(state == State::closed || state == State::destroyed);
  state_changed();
}

std::shared_ptr<Notice> Client::notice_for(policy::Event event) {
  using Kind = policy::Event::Kind;
  auto notice = std::make_shared<Notice>();
  notice->when = net::monotonic_now();
  notice->url = shown_url_;
  switch (event.kind) {
    case Kind::connecting:
      outcome_.reset();
      // The last attempt's may be a redirect's target; what a provider will say is not known yet.
      if (target_.url) shown_url_ = target_.url->shown();
      notice->url = target_.url ? shown_url_ : "";
      break;
    case Kind::connect:
      notice->subprotocol = subprotocol_;
      notice->headers = std::exchange(response_headers_, {});
      if (recorder_) recorder_->opened(event.epoch, shown_url_, notice->when);
      break;
    case Kind::disconnect: {
      last_close_ = event.code;
      subprotocol_.clear();
      if (recorder_)
        recorder_->lost(event.epoch, event.code, event.reason, name(event.initiator), notice->when);
      const auto known = unsent_.find(event.epoch);
      if (known == unsent_.end()) {
        notice->ready = false;
        awaiting_unsent_.push_back(notice);
        break;
      }
      event.unsent_messages = known->second.messages;
      event.unsent_bytes = known->second.bytes;
      unsent_.erase(known);
      break;
    }
    case Kind::error: last_failure_ = std::make_unique<const Failure>(event.failure); break;
    case Kind::closed: {
      Outcome outcome;
      outcome.reason = event.closed_reason;
      outcome.code = event.code;
      if (event.failure.phase != Phase::none) outcome.failure = event.failure;
      outcome_ = std::make_unique<const Outcome>(std::move(outcome));
      break;
    }
    case Kind::reconnecting: break;
  }
  notice->event = std::move(event);
  return notice;
}

template <class Input>
void Client::command(Input input) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (destroyed_) return;
    input(machine_);
    collect();
  }
  io_.post([self = shared_from_this()] { self->carry_out(); });
}

void Client::connect() {
  command([](policy::Lifecycle& machine) { machine.connect(net::monotonic_now()); });
}

void Client::reconnect() {
  command([this](policy::Lifecycle& machine) {
    machine.reconnect(net::monotonic_now());
    if (machine.state() == State::closing) line_.stop_accepting();
  });
}

void Client::close(std::uint16_t code, std::string reason) {
  command([&](policy::Lifecycle& machine) {
    machine.close(net::monotonic_now(), code, std::move(reason));
    line_.stop_accepting();  // with the machine: afterwards the line may be the next connection's
  });
}

void Client::destroy(double grace) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (destroyed_) return;
    destroyed_ = true;
    machine_.destroy();
    machine_.take_effects();  // the transport is ended below, more gently than an abort
    machine_.take_events();
    effects_.clear();
    follow_offline(State::destroyed);
    line_.stop_accepting();
    state_changed();
  }
  inbox_.destroy();
  if (recorder_) {
    if (const std::uint64_t open = epoch()) recorder_->lost(open, 1001, "", "user", net::monotonic_now());
    recorder_->end();
  }
  if (asking_) asking_->end();
  bell_.ring();
  io_.post([self = shared_from_this(), grace] { self->shut_down(grace); });
}

// --- Answers ---------------------------------------------------------------------------------------------------------

void Client::provide(std::uint64_t epoch, std::optional<net::Url> url, std::optional<Headers> headers) {
  io_.post([self = shared_from_this(), epoch, url = std::move(url), headers = std::move(headers)] {
    if (self->providing_ != epoch) return;
    self->providing_.reset();
    self->begin_attempt(epoch, url ? *url : *self->target_.url, headers ? *headers : Headers());
  });
}

void Client::provide_failed(std::uint64_t epoch, std::string message) {
  io_.post([self = shared_from_this(), epoch, message = std::move(message)] {
    if (self->providing_ != epoch) return;
    self->providing_.reset();
    Failure failure;
    failure.phase = Phase::provider;
    failure.message = message;
    self->attempt_failed(epoch, std::move(failure));
  });
}

void Client::answer(std::uint64_t epoch, policy::Answer answer) {
  command([&](policy::Lifecycle& machine) { machine.answered(net::monotonic_now(), epoch, answer); });
}

// --- Questions -------------------------------------------------------------------------------------------------------

State Client::state() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return machine_.state();
}

std::optional<Outcome> Client::outcome() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return outcome_ ? std::optional<Outcome>(*outcome_) : std::nullopt;
}

std::optional<Failure> Client::last_failure() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return last_error();
}

std::optional<Failure> Client::last_error() const {
  return last_failure_ ? std::optional<Failure>(*last_failure_) : std::nullopt;
}

std::string Client::url() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return shown_url_;
}

std::optional<std::string> Client::subprotocol() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (subprotocol_.empty()) return std::nullopt;
  return subprotocol_;
}

std::uint64_t Client::wait_change(std::uint64_t seen, std::optional<double> until) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (version_.load() == seen) {
    const auto limit = until ? time_point(*until) : std::chrono::steady_clock::now() + std::chrono::hours(1);
    if (until && std::chrono::steady_clock::now() >= limit) break;
    changed_.sleep_until(lock, limit);
  }
  return version_.load();
}

void Client::changed() {
  const std::lock_guard<std::mutex> lock(mutex_);
  state_changed();
}

void Client::state_changed() {
  version_.fetch_add(1);
  changed_.wake_all();
  bell_.ring();
}

void Client::nudge() {
  changed();
  inbox_.nudge();
}

bool Client::admit(policy::Event::Kind kind, std::uint64_t event_life, std::uint64_t epoch) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return delivery_.admit(kind, event_life, epoch, machine_.life(), machine_.epoch());
}

void Client::resume_reading() {
  io_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->transport_) self->transport_->resume();
  });
}

}  // namespace fastws::client
