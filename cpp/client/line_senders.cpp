// The senders' side of the line: any thread, without the GIL. They frame under `order` and write or queue under `wire`.
#include <chrono>
#include <utility>

#include "../net/loop.hpp"
#include "line.hpp"

namespace fastws::client {

Line::Gathered Line::gather(engine::Opcode opcode, std::string_view payload, std::uint64_t epoch) {
  if (payload.size() > small) return Gathered::no;
  const Lock tray(tray_, std::try_to_lock);
  if (!tray || !attended_ || deflater_) return Gathered::no;
  const std::uint64_t open = open_epoch_.load();
  if (open == 0 || !accepting_.load() || (epoch != 0 && epoch != open) || full()) return Gathered::no;
  const std::size_t before = gathered_.bytes.size();
  gathered_.add(opcode, payload);
  const std::size_t size = gathered_.bytes.size() - before;
  wait_more(1, size);
  count(1, size);
  return before < write_bytes && before + size >= write_bytes ? Gathered::much : Gathered::yes;
}

void Line::relieve() {
  const Lock wire(wire_, std::try_to_lock);
  if (!wire || stream_ == nullptr || again_ != Source::none) return;
  collect();
  while (write_step() == Step::wrote) {
  }
}

Line::Sent Line::await_room(Lock& order, std::uint64_t& epoch, std::optional<double> until) {
  for (;;) {
    order.lock();
    const std::uint64_t open = open_epoch_.load();
    if (open == 0 || !accepting_.load() || (epoch != 0 && epoch != open)) return Sent::not_open;
    epoch = open;  // having waited for room, a message must not cross to the next connection
    if (!full()) return Sent::accepted;
    order.unlock();
    Lock wire(wire_);
    if (!full() || !accepting_.load() || open_epoch_.load() != epoch) continue;
    const auto now = std::chrono::steady_clock::now();
    const auto limit_point = until ? time_point(*until) : now + std::chrono::hours(1);
    if (until && now >= limit_point) {
      refused_.store(true);
      return Sent::full;
    }
    room_.sleep_until(wire, limit_point);
  }
}

void Line::count(std::size_t messages, std::size_t bytes) noexcept {
  messages_.fetch_add(messages, std::memory_order_relaxed);
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

Line::Put Line::put_framed(const Frames& frames, std::uint64_t epoch, bool burst) {
  if (open_epoch_.load() != epoch) return Put::lost;
  if (finished_) return Put::late;
  if (attended_) {
    collect();
    enqueue(frames, 0);
    return Put::done;
  }
  std::size_t head = 0;
  if (!burst && !has_output() && !broken_) write_some(frames.bytes, head, write_bytes, Source::messages);
  if (head == frames.bytes.size()) return Put::done;
  enqueue(frames, head);
  if (burst) found_ = 1;
  attend(true);
  return Put::wake;
}

Line::Put Line::put(const Frames& frames, std::uint64_t epoch) {
  {
    const Lock tray(tray_);
    if (attended_ && open_epoch_.load() == epoch) {
      gathered_.add(frames);
      wait_more(frames.sizes.size(), frames.bytes.size());
      return gathered_.bytes.size() >= write_bytes ? Put::much : Put::done;
    }
  }
  const bool burst = frames.bytes.size() <= small && pace_.burst(net::monotonic_now());
  const Lock wire(wire_);
  const Put put = put_framed(frames, epoch, burst);
  if (put == Put::late) {
    // Our Close frame went before them: nothing may follow that, so the disconnect event will count them.
    late_.messages += frames.sizes.size();
    late_.bytes += frames.bytes.size();
  }
  return put;
}

Line::Sent Line::send_many(engine::Opcode opcode, const std::string_view* payloads, std::size_t size,
                           std::uint64_t epoch, std::optional<double> until, std::size_t& accepted) {
  accepted = 0;
  while (accepted < size) {
    Lock order(order_, std::defer_lock);
    const Sent room = await_room(order, epoch, until);
    if (room != Sent::accepted) return room;
    std::shared_ptr<engine::Deflater> deflater;
    {
      const Lock tray(tray_);
      deflater = deflater_;
    }
    if (open_epoch_.load() != epoch) return Sent::not_open;  // the deflater may be the next connection's

    // As much as one write takes, and at least one message.
    framed_.recycle();
    Put put = Put::done;
    try {
      do {
        const std::string_view payload = payloads[accepted + framed_.sizes.size()];
        const std::size_t before = framed_.bytes.size();
        if (before != 0 && before + engine::frame_size(payload.size()) > write_bytes) break;
        if (deflater) {
          deflater->append_frame(framed_.bytes, opcode, payload);
          framed_.sizes.push_back(framed_.bytes.size() - before);
        } else {
          framed_.add(opcode, payload);
        }
      } while (accepted + framed_.sizes.size() < size);
      put = this->put(framed_, epoch);
    } catch (...) {
      if (deflater) deflater->forget();  // what was framed so far goes nowhere
      throw;
    }
    if (put != Put::lost) {
      accepted += framed_.sizes.size();
      count(framed_.sizes.size(), framed_.bytes.size());
    }
    framed_.recycle();
    if (put == Put::lost) return Sent::not_open;
    order.unlock();
    if (put == Put::wake) wake_();
    if (put == Put::much) relieve();
  }
  return Sent::accepted;
}

bool Line::push(const Frames& frames, std::uint64_t epoch, Write write) {
  Put put = Put::done;
  {
    const Lock wire(wire_);
    if (epoch == 0 || open_epoch_.load() != epoch || !accepting_.load() || finished_) return false;
    if (write == Write::now) {
      put = put_framed(frames, epoch, false);
    } else {
      collect();
      enqueue(frames, 0);
      attend(true);
    }
  }
  count(frames.sizes.size(), frames.bytes.size());
  if (put == Put::wake) wake_();
  return true;
}

std::shared_ptr<Departures::Watch> Line::watch() {
  const Lock wire(wire_);
  collect();
  return departures_.watch();
}

Departures::Waited Line::await_written(const Departures::Watch& watch, std::optional<double> until) {
  Lock wire(wire_);
  return departures_.wait(wire, watch, until);
}

void Line::tell_room() {
  room_.wake_all();
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

void Line::stop_accepting() {
  {
    const Lock wire(wire_);  // whoever is about to sleep for room has looked, or will
    accepting_.store(false);
  }
  tell_room();
}

}  // namespace fastws::client
