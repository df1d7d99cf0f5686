// A growing run of plain values that leaves new room uninitialised: what std::vector would first fill with zeros.
//
// May know: nothing of this project but where its memory comes from. Promises: contiguous; keeps its memory at clear();
// throws only std::bad_alloc.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <new>
#include <type_traits>

#include "pages.hpp"

namespace fastws::json {

template <class Value>
class Buffer {
  static_assert(std::is_trivially_copyable_v<Value>);

 public:
  Buffer() = default;
  ~Buffer() { release_pages(data_, capacity_ * sizeof(Value), mapped_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  [[nodiscard]] Value* data() noexcept { return data_; }
  [[nodiscard]] const Value* data() const noexcept { return data_; }
  [[nodiscard]] const Value& operator[](std::size_t index) const noexcept { return data_[index]; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  void clear() noexcept { size_ = 0; }

  /// The end, with room for `count` more values behind it; set_size() then tells how many were written. What was
  /// written there before set_size() is kept when the buffer moves, as far as `written` says.
  Value* room(std::size_t count, std::size_t written = 0) {
    if (count + written > capacity_ - size_) grow(size_ + written, count);
    return data_ + size_ + written;
  }
  void set_size(std::size_t size) noexcept { size_ = size; }

  /// While somebody else may look at what is here already: who holds this mutex sees it stay where it is. nullptr = nobody.
  void guard_moves(std::mutex* guard) noexcept { guard_ = guard; }

  void append(const Value* values, std::size_t count) {
    if (count == 0) return;
    std::memcpy(room(count), values, count * sizeof(Value));
    size_ += count;
  }

 private:
  void grow(std::size_t used, std::size_t count) {
    const std::size_t wanted = std::max({used + count, capacity_ * 2, std::size_t{64}});
    if (wanted > static_cast<std::size_t>(-1) / sizeof(Value)) throw std::bad_alloc();
    std::unique_lock<std::mutex> lock;
    if (guard_ != nullptr) lock = std::unique_lock<std::mutex>(*guard_);
    void* moved = resize_pages(data_, capacity_ * sizeof(Value), wanted * sizeof(Value), mapped_);
    if (moved == nullptr) throw std::bad_alloc();
    data_ = static_cast<Value*>(moved);
    capacity_ = wanted;
  }

  Value* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  bool mapped_ = false;
  std::mutex* guard_ = nullptr;
};

}  // namespace fastws::json
