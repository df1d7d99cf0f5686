// A table of counters that only ever grows.
#include "type_counts.hpp"

#include <cstring>
#include <functional>
#include <utility>

namespace fastws::client {

namespace {

constexpr std::size_t first_size = 16;

void add_one(std::atomic<std::uint64_t>& counter) noexcept {
  // The only thread that writes: no need for a locked step.
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

std::uint64_t eight_bytes(const char* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Types are short as a rule: those of 8 to 16 bytes are hashed by two words that cover them.
std::uint64_t hash_of(std::string_view type) noexcept {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
  std::uint64_t words[2] = {type.size(), 0};
  if (type.size() > 16) {
    words[1] = std::hash<std::string_view>()(type);
  } else if (type.size() >= 8) {
    words[0] ^= eight_bytes(type.data()) * odd;
    words[1] = eight_bytes(type.data() + type.size() - 8);
  } else if (!type.empty()) {
    std::memcpy(&words[1], type.data(), type.size());
  }
  std::uint64_t hash = (words[0] ^ words[1]) * odd;
  return (hash ^ hash >> 32) * odd >> 32;
}

}  // namespace

TypeCounts::Slot& TypeCounts::slot_of(std::string_view type) const noexcept {
  std::size_t at = hash_of(type) & (size_ - 1);
  while (slots_[at].times.load(std::memory_order_relaxed) != 0 && slots_[at].type != type) {
    at = (at + 1) & (size_ - 1);
  }
  return slots_[at];
}

void TypeCounts::count(std::string_view type) {
  add_one(total_);
  if (size_ != 0) {
    Slot& slot = slot_of(type);
    if (slot.times.load(std::memory_order_relaxed) != 0) return add_one(slot.times);
  }
  if (used_ >= most_types) type = "(other)";
  const std::lock_guard<std::mutex> lock(mutex_);
  if (used_ + 1 > size_ / 2) grow();
  Slot& slot = slot_of(type);
  if (slot.times.load(std::memory_order_relaxed) == 0) {
    slot.type = type;
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
    Slot& slot = slot_of(old[at].type);
    slot.type = std::move(old[at].type);
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
