// JSON text from plain values: the bytes json.dumps(ensure_ascii=False, allow_nan=False, separators=(",", ":")) writes.
//
// May know: text, escape, digits, decimal. Knows no Python. Promises: appends to a caller's Text, never throws but
// std::bad_alloc; valid UTF-8 in, valid UTF-8 out; a double is the shortest text that reads back as the same double, laid
// out as Python's repr.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "decimal.hpp"
#include "digits.hpp"
#include "escape.hpp"
#include "text.hpp"

namespace fastws::json {

constexpr std::size_t longest_part = 4096;  // units whose worst case is reserved at a time

void write_long_string(Text& out, std::string_view utf8, char then);

// Each writes the byte that follows the value, too: a comma, a colon, or the quote of a key.

/// Quoted and escaped.
inline void write_string(Text& out, std::string_view utf8, char then) {
  if (utf8.size() > longest_part) return write_long_string(out, utf8, then);
  char* at = out.room(utf8.size() * longest_unit + 3 + Block::size);
  *at = '"';
  at = put_escaped(at + 1, utf8.data(), utf8.size());
  at[0] = '"';
  at[1] = then;
  out.set_end(at + 2);
}

inline void write_integer(Text& out, std::int64_t value, char then) {
  char* at = out.room(longest_integer + 1);
  auto size = static_cast<std::uint64_t>(value);
  if (value < 0) {
    *at++ = '-';
    size = 0 - size;
  }
  at = put_unsigned(at, size);
  *at = then;
  out.set_end(at + 1);
}

/// As Python's float.__repr__; the value must be finite.
inline void write_double(Text& out, double value, char then) {
  char* const at = put_double(out.room(longest_double), value);
  *at = then;
  out.set_end(at + 1);
}

inline void write_float(Text& out, float value, char then) {
  char* const at = put_float(out.room(longest_double), value);
  *at = then;
  out.set_end(at + 1);
}

/// A string from code points, one each unit (std::uint8_t is Latin-1). Gives the index of the first surrogate, which UTF-8
/// can not carry (then some of the text is written), or `count`.
template <class Unit>
std::size_t write_code_points(Text& out, const Unit* points, std::size_t count, char then);

extern template std::size_t write_code_points(Text&, const std::uint8_t*, std::size_t, char);
extern template std::size_t write_code_points(Text&, const std::uint16_t*, std::size_t, char);
extern template std::size_t write_code_points(Text&, const std::uint32_t*, std::size_t, char);

}  // namespace fastws::json
