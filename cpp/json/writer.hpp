// JSON text from plain values: the bytes json.dumps(ensure_ascii=False, allow_nan=False, separators=(",",
// ":")) writes.
//
// May know: number. Knows no Python. Promises: appends to a caller's Text, never throws but std::bad_alloc;
// valid UTF-8 in, valid UTF-8 out; a double is the shortest text that reads back as the same double, laid out
// as Python's repr.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fastws::json {

/// A text that grows. Small ones lie in the object itself: writing a typical message allocates nothing.
class Text {
 public:
  Text() noexcept : begin_(inline_), end_(inline_), limit_(inline_ + sizeof inline_) {}
  ~Text();
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  std::string_view view() const noexcept { return {begin_, static_cast<std::size_t>(end_ - begin_)}; }

  /// The end, with at least `size` writable bytes behind it; set_end() then tells how far they were used.
  char* room(std::size_t size) {
    if (size > static_cast<std::size_t>(limit_ - end_)) grow(size);
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
  /// Writes `byte`, over a comma when the text ends with one: the values of a container each end with a
  /// comma.
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

// Each writes the byte that follows the value, too: a comma, a colon, or the quote of a key.
void write_string(Text& out, std::string_view utf8, char then);  // quoted and escaped
void write_integer(Text& out, std::int64_t value, char then);
/// As Python's float.__repr__; the value must be finite.
void write_double(Text& out, double value, char then);

/// A string from code points, one each unit (std::uint8_t is Latin-1). Gives the index of the first
/// surrogate, which UTF-8 can not carry (then some of the text is written), or `count`.
template <class Unit>
std::size_t write_code_points(Text& out, const Unit* points, std::size_t count, char then);

extern template std::size_t write_code_points(Text&, const std::uint8_t*, std::size_t, char);
extern template std::size_t write_code_points(Text&, const std::uint16_t*, std::size_t, char);
extern template std::size_t write_code_points(Text&, const std::uint32_t*, std::size_t, char);

}  // namespace fastws::json
