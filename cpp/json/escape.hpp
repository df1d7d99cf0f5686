// The inside of a JSON string: copied as it is, but for the few characters that RFC 8259 section 7 wants escaped.
//
// May know: block. Promises: sixteen bytes a step where nothing is to be escaped, and where something is the step goes up to
// it. The caller answers for longest_unit writable bytes for each byte that is written, and for a block behind them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "block.hpp"

namespace fastws::json {

constexpr std::size_t longest_unit = 6;  // \u001f

constexpr std::array<char, 128> make_escapes() {
  std::array<char, 128> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = 'u';
  table['\b'] = 'b';
  table['\f'] = 'f';
  table['\n'] = 'n';
  table['\r'] = 'r';
  table['\t'] = 't';
  table['"'] = '"';
  table['\\'] = '\\';
  return table;
}
/// What follows the backslash; 0 = nothing to escape.
inline constexpr std::array<char, 128> escapes = make_escapes();

/// One ASCII character.
inline char* put_ascii(char* at, unsigned code) {
  const char escape = escapes[code];
  if (escape == 0) {
    *at = static_cast<char>(code);
    return at + 1;
  }
  *at++ = '\\';
  *at++ = escape;
  if (escape == 'u') {
    *at++ = '0';
    *at++ = '0';
    *at++ = "0123456789abcdef"[code >> 4];
    *at++ = "0123456789abcdef"[code & 15];
  }
  return at;
}

/// One byte of UTF-8.
inline char* put_byte(char* at, char byte) {
  const auto code = static_cast<unsigned char>(byte);
  if (code < 0x80) return put_ascii(at, code);
  *at = byte;
  return at + 1;
}

/// Whether one of the bytes is below 0x20, a quote or a backslash. A borrow can only mark a byte that lies above one that is
/// rightly marked, so the answer is exact.
template <class Word>
bool any_escape(Word word) {
  constexpr Word ones = static_cast<Word>(0x0101010101010101u);
  constexpr Word highs = ones * 0x80;
  const Word quotes = word ^ (ones * '"');
  const Word backslashes = word ^ (ones * '\\');
  const Word controls = (word - ones * 0x20) & ~word;
  return ((controls | ((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes)) & highs) != 0;
}

inline char* put_singly(char* at, const char* from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) at = put_byte(at, from[i]);
  return at;
}

inline Mask to_escape(const Block& bytes) noexcept {
  return bytes.control() | bytes.equal('"') | bytes.equal('\\');
}

/// Less than sixteen bytes: read as sixteen where those lie in one page, so that no branch hangs on the size. Branches for
/// each size are mispredicted in nearly every text; what lies behind the bytes is read, and never used.
inline char* put_few(char* at, const char* from, std::size_t count) {
  if (count == 0) return at;  // and no byte of that page need be anybody's
  if (Block::may_over_read(from)) {
    const Block bytes(from);
    bytes.store(at);
    if ((to_escape(bytes) & ((Mask{1} << count) - 1)) == 0) return at + count;
  }
  return put_singly(at, from, count);
}

/// Any bytes of UTF-8, escaped.
inline char* put_escaped(char* at, const char* from, std::size_t count) {
  while (count >= Block::size) {
    const Block bytes(from);
    bytes.store(at);
    const Mask found = to_escape(bytes);
    std::size_t done = Block::size;
    if (found == 0) {
      at += done;
    } else {
      done = first_of(found);
      at = put_byte(at + done, from[done]);
      ++done;
    }
    from += done;
    count -= done;
  }
  return put_few(at, from, count);
}

}  // namespace fastws::json
