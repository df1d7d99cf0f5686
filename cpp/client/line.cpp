// The I/O thread's side of the line: everything here touches the stream under `wire`. Senders are in line_senders.cpp.
#include "line.hpp"

#include <algorithm>
#include <utility>

namespace fastws::client {

namespace {

constexpr std::size_t kept_buffer = std::size_t{256} << 10;
constexpr std::size_t kept_sizes = std::size_t{4} << 10;

}  // namespace

void Frames::recycle() {
  if (bytes.capacity() > kept_buffer) {
    std::string().swap(bytes);
  } else {
    bytes.clear();
  }
  if (sizes.capacity() > kept_sizes) {
    std::vector<std::size_t>().swap(sizes);
  } else {
    sizes.clear();
  }
}

void Frames::clear() {
  std::string().swap(bytes);
  std::vector<std::size_t>().swap(sizes);
}

void Line::attach(net::Stream* stream) {
  const Lock wire(wire_);
  stream_ = stream;
  finished_ = false;
  cut_ = false;
  broken_ = false;
  found_ = 0;
  late_ = {};
  attend(false);
}

void Line::open(std::uint64_t epoch, std::shared_ptr<engine::Deflater> deflater, const Frames& first) {
  const Lock wire(wire_);
  {
    const Lock tray(tray_);
    deflater_ = std::move(deflater);
  }
  count(first.sizes.size(), first.bytes.size());
  enqueue(first, 0);
  accepting_.store(true);
  open_epoch_.store(epoch);
}

net::Moved Line::read(char* data, std::size_t size) {
  const Lock wire(wire_);
  if (stream_ == nullptr) return {net::Io::error, 0};
  return stream_->read(data, size);
}

std::size_t Line::control(std::string_view bytes) {
  const Lock wire(wire_);
  if (!finished_) control_ += bytes;
  return control_.size() - control_head_;
}

void Line::give_back() {
  if (const Lock order(order_, std::try_to_lock); order) framed_.clear();  // who holds it needs it
  const Lock wire(wire_);
  if (control_.empty()) std::string().swap(control_);
  if (!has_messages()) outbox_.clear();
  const Lock tray(tray_);
  if (gathered_.sizes.empty()) gathered_.clear();
}

void Line::finish(std::string_view close_frame, bool behind) {
  const Lock wire(wire_);
  accepting_.store(false);
  if (finished_) return;
  finished_ = true;
  collect();
  attend(false);
  if (behind) {
    last_ = close_frame;
    last_head_ = 0;
  } else {
    control_ += close_frame;
    cut_ = true;
  }
  tell_room();
}

bool Line::has_output() const noexcept {
  return has_messages() || control_head_ < control_.size() || last_head_ < last_.size();
}

bool Line::write_some(const std::string& bytes, std::size_t& head, std::size_t most, Source source) {
  const std::size_t size = std::min({bytes.size() - head, most, write_bytes, stream_->write_size()});
  const net::Moved moved = stream_->write(bytes.data() + head, size);
  again_ = moved.io == net::Io::again ? source : Source::none;
  if (moved.io == net::Io::done) {
    head += moved.size;
    return moved.size == size;
  }
  if (moved.io != net::Io::again) broken_ = true;
  return false;
}

void Line::wait_more(std::size_t messages, std::size_t bytes) noexcept {
  waiting_messages_.fetch_add(messages, std::memory_order_relaxed);
  waiting_bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

void Line::enqueue(const Frames& frames, std::size_t head) {
  const bool first = !has_messages();
  std::size_t left = head;
  for (const std::size_t size : frames.sizes) {
    if (left >= size) {
      left -= size;
      continue;
    }
    outbox_.sizes.push_back(size - left);
    if (left != 0 && first) first_begun_ = true;
    left = 0;
    waiting_messages_.fetch_add(1, std::memory_order_relaxed);
    departures_.arrive();
  }
  outbox_.bytes.append(frames.bytes, head, std::string::npos);
  waiting_bytes_.fetch_add(frames.bytes.size() - head, std::memory_order_relaxed);
}

void Line::attend(bool on) {
  const Lock tray(tray_);
  attended_ = on;
}

void Line::collect() {
  const Lock tray(tray_);
  if (gathered_.sizes.empty()) return;
  found_ += gathered_.sizes.size();
  departures_.arrive(gathered_.sizes.size());
  if (has_messages()) {
    outbox_.add(gathered_);
    gathered_.recycle();
  } else {
    std::swap(outbox_, gathered_);  // no copy, and the senders go on at once
  }
}

void Line::settle_written(std::size_t size) {
  waiting_bytes_.fetch_sub(size, std::memory_order_relaxed);
  std::uint64_t whole = 0;
  while (size != 0) {
    std::size_t& first = outbox_.sizes[sizes_head_];
    if (size < first) {
      first -= size;
      first_begun_ = true;
      break;
    }
    size -= first;
    ++sizes_head_;
    ++whole;
    first_begun_ = false;
  }
  waiting_messages_.fetch_sub(whole, std::memory_order_relaxed);
  departures_.leave(whole);
}

bool Line::write_messages(std::size_t most) {
  const std::size_t before = outbox_head_;
  const bool all = write_some(outbox_.bytes, outbox_head_, most, Source::messages);
  settle_written(outbox_head_ - before);
  if (!has_messages()) {
    outbox_.recycle();
    outbox_head_ = sizes_head_ = 0;
  } else if (outbox_head_ > kept_buffer && outbox_head_ > outbox_.bytes.size() / 2) {
    outbox_.bytes.erase(0, outbox_head_);
    outbox_.sizes.erase(outbox_.sizes.begin(),
                        outbox_.sizes.begin() + static_cast<std::ptrdiff_t>(sizes_head_));
    outbox_head_ = sizes_head_ = 0;
  }
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

Line::Step Line::write_step() {
  if (broken_) return Step::broken;
  bool all = true;
  if (again_ == Source::messages) {
    all = write_messages(write_bytes);
  } else if (first_begun_ && again_ == Source::none) {
    all = write_messages(outbox_.sizes[sizes_head_]);  // nothing may come between the bytes of one frame
  } else if (control_head_ < control_.size()) {
    all = write_control();
  } else if (has_messages() && !cut_) {
    all = write_messages(write_bytes);
  } else if (last_head_ < last_.size()) {
    all = write_some(last_, last_head_, write_bytes, Source::last);
  } else {
    return Step::nothing;
  }
  if (!full()) tell_room();
  if (broken_) return Step::broken;
  return all ? Step::wrote : Step::waiting;
}

Line::Flush Line::rest() {
  const Lock tray(tray_);
  if (!attended_) return Flush::empty;
  if (found_ != 0 || !gathered_.sizes.empty()) {
    gather_seconds_ = rounds_.after(std::exchange(found_, 0));
    return Flush::gathering;
  }
  attended_ = false;
  return Flush::empty;
}

Line::Flush Line::flush() {
  // What comes into the tray while this writes waits for the next call, so that it is worth one; unless it is much.
  bool collected = false;
  // The lock is given up between writes: a sender that is alone, or a read, need not wait for a whole outbox.
  for (;;) {
    const Lock wire(wire_);
    if (stream_ == nullptr) return Flush::empty;
    if (!collected || (!has_messages() && waiting_bytes() >= write_bytes)) collect();
    collected = true;
    switch (write_step()) {
      case Step::wrote: break;
      case Step::waiting: return Flush::waiting;
      case Step::broken: return Flush::broken;
      case Step::nothing: return rest();
    }
  }
}

Line::Unsent Line::shut() {
  accepting_.store(false);
  const Lock wire(wire_);
  open_epoch_.store(0);
  collect();
  {
    const Lock tray(tray_);
    attended_ = false;
    deflater_.reset();
    gathered_.clear();
  }
  Unsent unsent = late_;
  const std::size_t messages = outbox_.sizes.size() - sizes_head_;
  unsent.messages += messages;
  unsent.bytes += outbox_.bytes.size() - outbox_head_;
  lost_.fetch_add(unsent.messages);
  departures_.lose(messages);
  if (stream_ != nullptr) stream_->close();
  stream_ = nullptr;
  std::string().swap(control_);
  std::string().swap(last_);
  outbox_.clear();
  control_head_ = outbox_head_ = sizes_head_ = last_head_ = 0;
  first_begun_ = false;
  found_ = 0;
  again_ = Source::none;
  late_ = {};
  waiting_bytes_.store(0);
  waiting_messages_.store(0);
  tell_room();
  return unsent;
}

}  // namespace fastws::client
