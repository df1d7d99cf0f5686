// One epoch, from dialing to its end. What the engine reports during a feed is acted upon after it.
#include "transport.hpp"

#include <atomic>

#include "io_thread.hpp"
#include "tls_hint.hpp"

namespace fastws::client {

namespace {

constexpr int reads_in_a_row = 8;  // of 128 KiB each, before other connections have their turn

std::atomic<int> lingering{0};

}  // namespace

Transport::Transport(IoThread& io, Line& line, Owner& owner, Plan plan)
    : io_(io),
      line_(line),
      owner_(&owner),
      epoch_(plan.epoch),
      secure_(plan.dial.url.secure),
      opened_before_(plan.opened_before),
      deflate_(plan.request.deflate),
      plan_(std::make_unique<Plan>(std::move(plan))) {}

Transport::~Transport() {
  if (stream_ == nullptr) return;
  stream_->cancel_waits();
  line_.shut();
}

// --- Opening ---------------------------------------------------------------------------------------------------------

void Transport::dial() {
  dial_ = std::make_unique<net::Dial>(io_.loop(), std::move(plan_->dial));
  dial_->start(plan_->deadline, [weak = weak_from_this()](std::unique_ptr<net::Stream> stream,
                                                          std::optional<Failure> failure) {
    const auto self = weak.lock();
    if (!self || self->owner_ == nullptr) return;
    if (failure) {
      self->owner_->transport_failed(std::move(*failure));
    } else {
      self->connected(std::move(stream));
    }
  });
}

void Transport::connected(std::unique_ptr<net::Stream> stream) {
  stream_ = std::move(stream);
  last_received_ = net::monotonic_now();
  line_.attach(stream_.get());
  engine_ = std::make_unique<engine::Engine>(plan_->request, plan_->limits, *this, &io_.message_room);
  plan_.reset();
  dial_.reset();
  engine_->start();
  push_output();
  flush();
  wait_to_read();
}

void Transport::push_output() {
  std::string& output = engine_->output();
  if (output.empty()) return;
  control_waits_ = line_.control(output);
  output.clear();
}

/// Pings of a server that does not read their answers are not answered any more (RFC 6455 section 5.5.3 allows to answer only
/// the last): it could fill the memory.
void Transport::feed(std::size_t size) {
  constexpr std::size_t most_control = std::size_t{64} << 10;
  if (control_waits_ > most_control) control_waits_ = line_.control({});
  engine_->answer_pings(control_waits_ <= most_control);
  engine_->feed(io_.buffer.data(), size);
}

// --- Writing ---------------------------------------------------------------------------------------------------------

void Transport::flush() {
  if (stream_ == nullptr) return;
  switch (line_.flush()) {
    case Line::Flush::empty: break;
    case Line::Flush::gathering: come_back(); break;
    case Line::Flush::waiting: wait_to_write(); break;
    case Line::Flush::broken:
      // Reading tells the same end, after what the peer had still sent; but a paused reader would not see it.
      if (paused_) resume();
      break;
  }
}

void Transport::come_back() {
  if (coming_back_) return;
  coming_back_ = true;
  if (!gather_) gather_ = std::make_unique<net::Timer>(io_.loop());
  gather_->at(net::monotonic_now() + line_.gather_seconds(), [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->coming_back_ = false;
    self->flush();
  });
}

void Transport::give_back() {
  if (engine_ != nullptr) engine_->give_back();
  line_.give_back();
}

void Transport::wait_to_write() {
  if (stream_ == nullptr || waiting_write_) return;
  if (stream_->write_wants_read()) {
    wait_to_read();
    return;
  }
  waiting_write_ = true;
  stream_->wait_writable([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->stream_ == nullptr) return;
    self->waiting_write_ = false;
    if (self->stream_->read_wants_write()) self->readable();
    self->flush();
  });
}

void Transport::send_close(std::uint16_t code, std::string_view reason) {
  if (engine_ == nullptr) return;
  const auto self =
      shared_from_this();  // what resume() reads may end the connection, and the owner lets go of us
  closing_ = true;
  engine_->close(code, reason);
  line_.finish(engine_->output(), true);
  engine_->output().clear();
  if (paused_) resume();  // the peer's Close frame waits behind what we had not read
  flush();
}

// --- Reading ---------------------------------------------------------------------------------------------------------

void Transport::wait_to_read() {
  if (stream_ == nullptr || waiting_read_ || paused_) return;
  if (stream_->read_wants_write()) {
    wait_to_write();
    return;
  }
  waiting_read_ = true;
  stream_->wait_readable([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->stream_ == nullptr) return;
    self->waiting_read_ = false;
    self->readable();
    if (self->stream_ != nullptr && self->stream_->write_wants_read()) self->flush();
  });
}

void Transport::readable() {
  const auto self = shared_from_this();  // the owner may let go of us in the middle
  for (int count = 0; count < reads_in_a_row; ++count) {
    if (stream_ == nullptr || paused_) return;
    if (!read_once()) return;
  }
  // More may wait, inside TLS too, where the socket would not tell: come back after everybody else had a turn.
  waiting_read_ = true;
  io_.post([weak = weak_from_this()] {
    const auto again = weak.lock();
    if (!again || again->stream_ == nullptr) return;
    again->waiting_read_ = false;
    again->readable();
  });
}

bool Transport::read_once() {
  const net::Moved moved = line_.read(io_.buffer.data(), io_.buffer.size());
  if (moved.io == net::Io::again) {
    wait_to_read();
    return false;
  }
  if (moved.io != net::Io::done) {
    stream_ended(moved.io == net::Io::end);
    return false;
  }
  last_received_ = net::monotonic_now();
  heard_ = true;
  if (owner_ == nullptr) {  // lingering: only the peer's Close frame is of interest
    feed(moved.size);
    engine_->output().clear();
    if (!closed_) return true;
    end();
    return false;
  }
  Owner& owner = *owner_;
  owner.bytes_received(moved.size);
  owner.begin_read();
  feed(moved.size);
  if (opened_) {
    std::shared_ptr<engine::Deflater> deflater;
    if (opened_->deflate) {
      deflater = std::make_shared<engine::Deflater>(*opened_->deflate, deflate_);
    }
    owner.transport_opened(std::move(*opened_), std::move(deflater));
    opened_.reset();
  }
  if (owner_ == nullptr) {  // a command replaced this connection before it was told
    owner.discard_read();
    return false;
  }
  // A Pong that is due comes before whatever the messages of this read make their handlers send.
  if (!closed_ && !rejected_) push_output();
  // The messages of this read come after its `connect` and before its end.
  const bool pause = owner.end_read(closing_);
  if (owner_ == nullptr || !settle_feed(pause)) return false;
  if (moved.more) return true;
  wait_to_read();  // asking the socket again would only cost a system call
  const double poll_until = busy_poll_.after_read(last_received_, line_.messages());
  if (poll_until != 0.0) io_.loop().busy_poll(poll_until);
  return false;
}

bool Transport::settle_feed(bool pause) {
  if (closed_) {
    line_.finish(engine_->output(), false);
    engine_->output().clear();
    line_.flush();
    tell_lost(std::move(*closed_), fault_ ? std::optional<Failure>(std::move(*fault_)) : std::nullopt);
    return false;
  }
  if (rejected_) {
    tell_rejected(std::move(*rejected_));
    return false;
  }
  push_output();
  flush();
  if (!pause || closing_) return stream_ != nullptr;
  paused_ = true;
  return false;
}

void Transport::resume() {
  if (!paused_) return;
  paused_ = false;
  // What arrived meanwhile counts as life; silence is measured from now.
  last_received_ = net::monotonic_now();
  readable();
}

void Transport::stream_ended(bool in_order) {
  if (owner_ == nullptr) {
    end();
    return;
  }
  const std::string why = in_order ? "the peer ended the stream" : stream_->error();
  owner_->begin_read();
  engine_->end();
  owner_->end_read(closing_);
  if (rejected_) {
    tell_rejected(std::move(*rejected_));
    return;
  }
  policy::Loss loss;
  loss.reason = why;
  tell_lost(std::move(loss));
}

void Transport::tell_rejected(Failure failure) {
  if (const std::string refusal = stream_->refusal(); !refusal.empty()) {
    failure = {};
    failure.phase = Phase::tls;
    failure.message = refusal;
  } else if (!opened_before_) {
    failure.message += tls_hint(failure, secure_, heard_);
  }
  owner_->transport_failed(std::move(failure));
}

void Transport::tell_lost(policy::Loss loss, std::optional<Failure> fault) {
  if (owner_ != nullptr) owner_->transport_lost(std::move(loss), std::move(fault));
}

int Transport::lingering_count() noexcept { return lingering.load(); }

// --- Ending ----------------------------------------------------------------------------------------------------------

Line::Unsent Transport::end() {
  owner_ = nullptr;
  if (std::exchange(lingering_, false)) lingering.fetch_sub(1);
  linger_.reset();
  gather_.reset();
  dial_.reset();
  Line::Unsent unsent;
  if (stream_ != nullptr) {
    stream_->cancel_waits();
    unsent = line_.shut();
    io_.post([keep = std::shared_ptr<net::Stream>(std::move(stream_))] {
    });  // we may be inside one of its functions
  }
  if (ended_) io_.post(std::exchange(ended_, nullptr));
  return unsent;
}

void Transport::end_gently(std::uint16_t code, double deadline, std::function<void()> ended) {
  ended_ = std::move(ended);
  if (stream_ == nullptr || engine_ == nullptr) {
    end();
    return;
  }
  owner_ = nullptr;
  if (!closing_) {
    engine_->close(code, "");
    line_.finish(engine_->output(), true);
    engine_->output().clear();
  }
  const bool written = line_.flush() == Line::Flush::empty;
  if (written && deadline <= net::monotonic_now()) {
    end();
    return;
  }
  lingering_ = true;
  lingering.fetch_add(1);
  linger_ = std::make_unique<net::Timer>(io_.loop());
  linger_->at(deadline, [self = shared_from_this()] { self->end(); });
  if (!written) wait_to_write();
  paused_ = false;
  wait_to_read();
}

// --- What the engine reports -----------------------------------------------------------------------------------------

void Transport::opened(engine::Response response) {
  opened_ = std::make_unique<engine::Response>(std::move(response));
}

void Transport::rejected(Failure failure) { rejected_ = std::make_unique<Failure>(std::move(failure)); }

void Transport::message(engine::Opcode opcode, std::string_view payload) {
  if (owner_ != nullptr) owner_->transport_message(opcode, payload);
}

void Transport::pong(std::string_view payload) {
  if (owner_ != nullptr) owner_->transport_pong(payload);
}

void Transport::closed(std::uint16_t code, std::string_view reason) {
  policy::Loss loss;
  loss.code = code;
  loss.reason = reason;
  loss.clean = true;
  loss.initiator = policy::Initiator::server;
  closed_ = std::make_unique<policy::Loss>(std::move(loss));
}

void Transport::failed(std::uint16_t code, Failure failure) {
  policy::Loss loss;
  loss.code = code;
  loss.reason = failure.message;
  loss.initiator = policy::Initiator::client;
  closed_ = std::make_unique<policy::Loss>(std::move(loss));
  fault_ = std::make_unique<Failure>(std::move(failure));
}

}  // namespace fastws::client
