// The two locks at work: senders frame under `order`, everybody touches the stream under `wire`.
#include "line.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "../net/loop.hpp"
#include "gate.hpp"

namespace fastws::client {

namespace {

constexpr std::size_t write_bytes = std::size_t{64} << 10;   // the most one call writes while it holds `wire`
constexpr std::size_t kept_buffer = std::size_t{256} << 10;  // larger empty buffers are given back

void recycle(std::string& buffer) {
  if (buffer.capacity() > kept_buffer) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

}  // namespace

// --- Senders ---------------------------------------------------------------------------------------------------------

Line::Sent Line::send(engine::Opcode opcode, std::string_view payload, std::uint64_t epoch,
                      std::optional<double> until, std::size_t& frame_bytes) {
  for (;;) {
    Lock order(order_);
    const std::uint64_t open = open_epoch_.load();
    if (open == 0 || !accepting_.load() || (epoch != 0 && epoch != open)) return Sent::not_open;
    epoch = open;  // having waited for room, a message must not cross to the next connection
    bool wake = false;
    std::shared_ptr<engine::Deflater> deflater;
    {
      Lock wire(wire_);
      if (outbox_.size() - outbox_head_ >= limit_) {
        order.unlock();
        const auto now = std::chrono::steady_clock::now();
        const auto limit_point = until ? time_point(*until) : now + std::chrono::hours(1);
        if (until && now >= limit_point) return Sent::full;
        sleep_until(wire, room_, limit_point);
        continue;
      }
      if (open_epoch_.load() != epoch) return Sent::not_open;
      deflater = deflater_;
    }
    frame_.clear();
    if (deflater) {
      deflater->append_frame(frame_, opcode, payload);
    } else {
      engine::append_frame(frame_, opcode, payload);
    }
    frame_bytes = frame_.size();
    {
      const Lock wire(wire_);
      if (open_epoch_.load() != epoch || finished_) {
        recycle(frame_);
        if (open_epoch_.load() != epoch) return Sent::not_open;
        // Our Close frame went before it: nothing may follow that, so the disconnect event will count it.
        late_.messages += 1;
        late_.bytes += payload.size();
        return Sent::accepted;
      }
      std::size_t head = 0;
      if (!has_output() && !broken_) write_some(frame_, head, write_bytes, Source::messages);
      if (head < frame_.size()) {
        outbox_.append(frame_, head, std::string::npos);
        sizes_.push_back(frame_.size() - head);
        if (sizes_.size() == 1) first_begun_ = head != 0;
        waiting_messages_.fetch_add(1);
        waiting_bytes_.store(outbox_.size() - outbox_head_);
        wake = sizes_.size() == 1;  // else the I/O thread is at it already
      }
    }
    recycle(frame_);
    order.unlock();
    if (wake) wake_();
    return Sent::accepted;
  }
}

bool Line::send_control(engine::Opcode opcode, std::string_view payload) {
  std::string frame;
  engine::append_frame(frame, opcode, payload);
  {
    const Lock wire(wire_);
    if (stream_ == nullptr || finished_ || open_epoch_.load() == 0) return false;
    control_ += frame;
  }
  wake_();
  return true;
}

void Line::stop_accepting(std::uint64_t epoch) {
  if (open_epoch_.load() == epoch) accepting_.store(false);
  room_.notify_all();
}

// --- The I/O thread --------------------------------------------------------------------------------------------------

void Line::attach(net::Stream* stream) {
  const Lock wire(wire_);
  stream_ = stream;
  finished_ = false;
  broken_ = false;
  late_ = {};
}

void Line::open(std::uint64_t epoch, std::shared_ptr<engine::Deflater> deflater) {
  const Lock wire(wire_);
  deflater_ = std::move(deflater);
  accepting_.store(true);
  open_epoch_.store(epoch);
}

net::Moved Line::read(char* data, std::size_t size) {
  const Lock wire(wire_);
  if (stream_ == nullptr) return {net::Io::error, 0};
  return stream_->read(data, size);
}

void Line::control(std::string_view bytes) {
  const Lock wire(wire_);
  if (!finished_) control_ += bytes;
}

void Line::finish(std::string_view close_frame, bool behind) {
  accepting_.store(false);
  const Lock wire(wire_);
  if (finished_) return;
  finished_ = true;
  if (behind) {
    last_ = close_frame;
    last_head_ = 0;
  } else {
    control_ += close_frame;
  }
  room_.notify_all();
}

bool Line::has_output() const noexcept {
  return !sizes_.empty() || control_head_ < control_.size() || last_head_ < last_.size();
}

bool Line::write_some(std::string& bytes, std::size_t& head, std::size_t most, Source source) {
  const std::size_t size = std::min({bytes.size() - head, most, write_bytes});
  const net::Moved moved = stream_->write(bytes.data() + head, size);
  again_ = moved.io == net::Io::again ? source : Source::none;
  if (moved.io == net::Io::done) {
    head += moved.size;
    return moved.size == size;
  }
  if (moved.io != net::Io::again) broken_ = true;
  return false;
}

void Line::settle_written(std::size_t size) {
  while (size != 0) {
    std::size_t& first = sizes_.front();
    if (size < first) {
      first -= size;
      first_begun_ = true;
      break;
    }
    size -= first;
    sizes_.pop_front();
    waiting_messages_.fetch_sub(1);
    first_begun_ = false;
  }
  waiting_bytes_.store(outbox_.size() - outbox_head_);
}

bool Line::write_messages(std::size_t most) {
  const std::size_t before = outbox_head_;
  const bool all = write_some(outbox_, outbox_head_, most, Source::messages);
  settle_written(outbox_head_ - before);
  if (outbox_head_ == outbox_.size()) {
    recycle(outbox_);
    outbox_head_ = 0;
  } else if (outbox_head_ > kept_buffer && outbox_head_ > outbox_.size() / 2) {
    outbox_.erase(0, outbox_head_);
    outbox_head_ = 0;
  }
  waiting_bytes_.store(outbox_.size() - outbox_head_);
  return all;
}

bool Line::write_control() {
  const bool all = write_some(control_, control_head_, write_bytes, Source::control);
  if (control_head_ == control_.size()) {
    control_.clear();
    control_head_ = 0;
  }
  return all;
}

Line::Flush Line::flush() {
  // The lock is given up between writes of 64 KiB: a sender that appends, or a read, need not wait for a whole outbox.
  for (;;) {
    const Lock wire(wire_);
    if (stream_ == nullptr) return Flush::empty;
    if (broken_) return Flush::broken;
    bool all = true;
    if (again_ == Source::messages) {
      all = write_messages(write_bytes);
    } else if (first_begun_ && again_ == Source::none) {
      all = write_messages(sizes_.front());  // nothing may come between the bytes of one frame
    } else if (control_head_ < control_.size()) {
      all = write_control();
    } else if (!sizes_.empty()) {
      all = write_messages(write_bytes);
    } else if (last_head_ < last_.size()) {
      all = write_some(last_, last_head_, write_bytes, Source::last);
    } else {
      return Flush::empty;
    }
    if (outbox_.size() - outbox_head_ < limit_) room_.notify_all();
    if (broken_) return Flush::broken;
    if (!all) return Flush::waiting;
  }
}

Line::Unsent Line::shut() {
  accepting_.store(false);
  const Lock wire(wire_);
  open_epoch_.store(0);
  Unsent unsent = late_;
  unsent.messages += sizes_.size();
  unsent.bytes += outbox_.size() - outbox_head_;
  if (stream_ != nullptr) stream_->close();
  stream_ = nullptr;
  deflater_.reset();
  std::string().swap(control_);
  std::string().swap(outbox_);
  std::string().swap(last_);
  control_head_ = outbox_head_ = last_head_ = 0;
  sizes_.clear();
  first_begun_ = false;
  again_ = Source::none;
  late_ = {};
  waiting_bytes_.store(0);
  waiting_messages_.store(0);
  room_.notify_all();
  return unsent;
}

}  // namespace fastws::client
