// A text that grows: what the writer writes into.
//
// May know: nothing of this project. Promises: a small text allocates nothing; never throws but std::bad_alloc, and is then
// as it was.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

namespace fastws::json {

/// Small texts lie in the object itself: writing a typical message allocates nothing.
class Text {
 public:
  Text() noexcept : begin_(inline_), end_(inline_), limit_(inline_ + sizeof inline_) {}
  ~Text();
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  std::string_view view() const noexcept { return {begin_, static_cast<std::size_t>(end_ - begin_)}; }

  /// The end, with at least `size` writable bytes behind it; set_end() then tells how far they were used.
  char* room(std::size_t size) {
    if (__builtin_expect(size > static_cast<std::size_t>(limit_ - end_), 0)) grow(size);
    return end_;
  }
  void set_end(char* end) noexcept { end_ = end; }

  void put(char byte) {
    *room(1) = byte;
    ++end_;
  }
  void put(std::string_view bytes) {
    std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
    end_ += bytes.size();
  }
  /// Writes `byte`, over a comma when the text ends with one: the values of a container each end with a comma.
  void put_over_comma(char byte) {
    if (end_[-1] == ',') {
      end_[-1] = byte;
    } else {
      put(byte);
    }
  }
  void drop_last() noexcept { --end_; }

 private:
  void grow(std::size_t size);

  char* begin_;
  char* end_;
  char* limit_;
  char inline_[1024];  // left as it is: filling it would cost more than a small message
};

}  // namespace fastws::json
