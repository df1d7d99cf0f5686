// The senders' side of the line: any thread, without the GIL. They frame under `order` and write or queue under `wire`.
#include <chrono>
#include <utility>

#include "gate.hpp"
#include "line.hpp"

namespace fastws::client {

Line::Sent Line::await_room(Lock& order, Lock& wire, std::uint64_t& epoch, std::optional<double> until) {
  for (;;) {
    if (!order.owns_lock()) order.lock();
    const std::uint64_t open = open_epoch_.load();
    if (open == 0 || !accepting_.load() || (epoch != 0 && epoch != open)) return Sent::not_open;
    epoch = open;  // having waited for room, a message must not cross to the next connection
    if (!wire.owns_lock()) wire.lock();
    if (outbox_.size() - outbox_head_ < limit_) {
      return open_epoch_.load() == epoch ? Sent::accepted : Sent::not_open;
    }
    order.unlock();
    const auto now = std::chrono::steady_clock::now();
    const auto limit_point = until ? time_point(*until) : now + std::chrono::hours(1);
    if (until && now >= limit_point) {
      refused_.store(true);
      return Sent::full;
    }
    sleep_until(wire, room_, limit_point);
    wire.unlock();  // `order` goes first
  }
}

void Line::count(std::size_t messages, std::size_t bytes) noexcept {
  messages_.fetch_add(messages, std::memory_order_relaxed);
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

Line::Put Line::put_framed(const std::string& bytes, const std::size_t* sizes, std::size_t count,
                           std::uint64_t epoch) {
  if (open_epoch_.load() != epoch) return Put::lost;
  if (finished_) return Put::late;
  std::size_t head = 0;
  const bool idle = sizes_.empty();
  if (!has_output() && !broken_) write_some(bytes, head, write_bytes, Source::messages);
  if (head == bytes.size()) return Put::done;
  enqueue(bytes, head, sizes, count);
  return idle ? Put::wake : Put::done;  // else the I/O thread is at it already
}

Line::Sent Line::send_many(engine::Opcode opcode, const std::string_view* payloads, std::size_t size,
                           std::uint64_t epoch, std::optional<double> until, std::size_t& accepted) {
  accepted = 0;
  while (accepted < size) {
    Lock order(order_, std::defer_lock);
    Lock wire(wire_, std::defer_lock);
    const Sent room = await_room(order, wire, epoch, until);
    if (room != Sent::accepted) return room;
    const std::shared_ptr<engine::Deflater> deflater = deflater_;
    wire.unlock();

    // As much as one write takes, and at least one message.
    frame_.clear();
    framed_.clear();
    std::uint64_t payload_bytes = 0;
    do {
      const std::string_view payload = payloads[accepted + framed_.size()];
      const std::size_t before = frame_.size();
      if (before != 0 && before + engine::frame_size(payload.size()) > write_bytes) break;
      if (deflater) {
        deflater->append_frame(frame_, opcode, payload);
      } else {
        engine::append_frame(frame_, opcode, payload);
      }
      framed_.push_back(frame_.size() - before);
      payload_bytes += payload.size();
    } while (accepted + framed_.size() < size);

    wire.lock();
    const Put put = put_framed(frame_, framed_.data(), framed_.size(), epoch);
    if (put == Put::late) {
      // Our Close frame went before them: nothing may follow that, so the disconnect event will count them.
      late_.messages += framed_.size();
      late_.bytes += payload_bytes;
    }
    wire.unlock();
    if (put != Put::lost) {
      accepted += framed_.size();
      count(framed_.size(), frame_.size());
    }
    recycle(frame_);
    if (put == Put::lost) return Sent::not_open;
    order.unlock();
    if (put == Put::wake) wake_();
  }
  return Sent::accepted;
}

bool Line::push(const Frames& frames, std::uint64_t epoch, Write write) {
  Put put = Put::done;
  {
    const Lock wire(wire_);
    if (epoch == 0 || open_epoch_.load() != epoch || !accepting_.load() || finished_) return false;
    if (write == Write::now) {
      put = put_framed(frames.bytes, frames.sizes.data(), frames.sizes.size(), epoch);
    } else {
      enqueue(frames.bytes, 0, frames.sizes.data(), frames.sizes.size());
    }
  }
  count(frames.sizes.size(), frames.bytes.size());
  if (put == Put::wake) wake_();
  return true;
}

std::shared_ptr<Departures::Watch> Line::watch() {
  const Lock wire(wire_);
  return departures_.watch();
}

Departures::Waited Line::await_written(const Departures::Watch& watch, std::optional<double> until) {
  Lock wire(wire_);
  return departures_.wait(wire, watch, until);
}

void Line::tell_room() {
  room_.notify_all();
  if (refused_.exchange(false) && bell_ != nullptr) bell_->ring();
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
  tell_room();
}

}  // namespace fastws::client
