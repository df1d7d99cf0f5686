// The I/O thread's side of the line: everything here touches the stream under `wire`. Senders are in line_senders.cpp.
#include "line.hpp"

#include <algorithm>
#include <utility>

namespace fastws::client {

namespace {

constexpr std::size_t kept_buffer = std::size_t{256} << 10;

}  // namespace

void Line::recycle(std::string& buffer) {
  if (buffer.capacity() > kept_buffer) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

void Line::attach(net::Stream* stream) {
  const Lock wire(wire_);
  stream_ = stream;
  finished_ = false;
  cut_ = false;
  broken_ = false;
  late_ = {};
}

void Line::open(std::uint64_t epoch, std::shared_ptr<engine::Deflater> deflater, const Frames& first) {
  const Lock wire(wire_);
  deflater_ = std::move(deflater);
  count(first.sizes.size(), first.bytes.size());
  enqueue(first.bytes, 0, first.sizes.data(), first.sizes.size());
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

void Line::give_back() {
  const Lock wire(wire_);
  if (control_.empty()) std::string().swap(control_);
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
    cut_ = true;
  }
  tell_room();
}

bool Line::has_output() const noexcept {
  return !sizes_.empty() || control_head_ < control_.size() || last_head_ < last_.size();
}

bool Line::write_some(const std::string& bytes, std::size_t& head, std::size_t most, Source source) {
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

void Line::enqueue(const std::string& bytes, std::size_t head, const std::size_t* sizes, std::size_t count) {
  if (head == bytes.size()) return;
  outbox_.append(bytes, head, std::string::npos);
  for (const std::size_t* size = sizes; size != sizes + count; ++size) {
    if (head >= *size) {
      head -= *size;
      continue;
    }
    if (sizes_.empty()) first_begun_ = head != 0;
    sizes_.push_back(*size - head);
    head = 0;
    departures_.arrive();
  }
  waiting_messages_.store(sizes_.size());
  waiting_bytes_.store(outbox_.size() - outbox_head_);
}

void Line::settle_written(std::size_t size) {
  const std::size_t before = sizes_.size();
  while (size != 0) {
    std::size_t& first = sizes_.front();
    if (size < first) {
      first -= size;
      first_begun_ = true;
      break;
    }
    size -= first;
    sizes_.pop_front();
    first_begun_ = false;
  }
  waiting_messages_.store(sizes_.size());
  departures_.leave(before - sizes_.size());
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
    } else if (!sizes_.empty() && !cut_) {
      all = write_messages(write_bytes);
    } else if (last_head_ < last_.size()) {
      all = write_some(last_, last_head_, write_bytes, Source::last);
    } else {
      return Flush::empty;
    }
    if (outbox_.size() - outbox_head_ < limit_) tell_room();
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
  lost_.fetch_add(unsent.messages);
  departures_.lose(sizes_.size());
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
  tell_room();
  return unsent;
}

}  // namespace fastws::client
