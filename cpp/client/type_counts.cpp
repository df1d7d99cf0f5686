// A table of counters that only ever grows.
#include "type_counts.hpp"

#include <cstring>
#include <functional>
#include <utility>

namespace fastws::client {

namespace {

constexpr std::size_t first_size = 16;
constexpr std::size_t longest_type = 256;  // bytes; a hostile server's must not fill the memory
constexpr std::string_view other = "(other)";

void add_one(std::atomic<std::uint64_t>& counter) noexcept {
  // The only thread that writes: no need for a locked step.
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

template <class Word>
Word word_at(const char* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

}  // namespace

TypeCounts::Brief::Brief(std::string_view type) noexcept : size(type.size()) {
  if (size > most_bytes) {
    end = std::hash<std::string_view>()(type);
  } else if (size >= 8) {
    begin = word_at<std::uint64_t>(type.data());
    end = word_at<std::uint64_t>(type.data() + size - 8);
  } else if (size >= 4) {
    begin = word_at<std::uint32_t>(type.data());
    end = word_at<std::uint32_t>(type.data() + size - 4);
  } else {
    for (const char c : type) begin = begin << 8 | static_cast<unsigned char>(c);
  }
}

std::size_t TypeCounts::Brief::hash() const noexcept {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
  return static_cast<std::size_t>((begin * odd + end + size) * odd >> 32);
}

TypeCounts::Slot& TypeCounts::slot_of(std::string_view type, const Brief& brief) const noexcept {
  std::size_t at = brief.hash() & (size_ - 1);
  while (slots_[at].times.load(std::memory_order_relaxed) != 0 && !slots_[at].is_of(type, brief)) {
    at = (at + 1) & (size_ - 1);
  }
  return slots_[at];
}

void TypeCounts::count(std::string_view type) {
  add_one(total_);
  if (type.size() > longest_type) type = other;
  Brief brief(type);
  if (size_ != 0) {
    Slot& slot = slot_of(type, brief);
    if (slot.times.load(std::memory_order_relaxed) != 0) return add_one(slot.times);
  }
  if (used_ >= most_types) {
    type = other;
    brief = Brief(type);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (used_ + 1 > size_ / 2) grow();
  Slot& slot = slot_of(type, brief);
  if (slot.times.load(std::memory_order_relaxed) == 0) {
    slot.type = type;
    slot.brief = brief;
    ++used_;
  }
  add_one(slot.times);
}

void TypeCounts::grow() {
  const std::size_t before = size_;
  const auto old = std::exchange(slots_, std::make_unique<Slot[]>(size_ == 0 ? first_size : size_ * 2));
  size_ = size_ == 0 ? first_size : size_ * 2;
  for (std::size_t at = 0; at < before; ++at) {
    const std::uint64_t times = old[at].times.load(std::memory_order_relaxed);
    if (times == 0) continue;
    Slot& slot = slot_of(old[at].type, old[at].brief);
    slot.type = std::move(old[at].type);
    slot.brief = old[at].brief;
    slot.times.store(times, std::memory_order_relaxed);
  }
}

std::map<std::string, std::uint64_t> TypeCounts::by_type() const {
  std::map<std::string, std::uint64_t> counts;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (std::size_t at = 0; at < size_; ++at) {
    const std::uint64_t times = slots_[at].times.load(std::memory_order_relaxed);
    if (times != 0) counts.emplace(slots_[at].type, times);
  }
  return counts;
}

}  // namespace fastws::client
