// JSON text from plain values; see writer.hpp.
//
// May know: the standard library. Promises: strings are copied 8 bytes a step where nothing is to be escaped;
// doubles come from std::to_chars (shortest digits, correctly rounded), or from an exact shortcut for short
// decimals.

#include "writer.hpp"

#include <algorithm>
#include <array>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <new>

namespace fastws::json {
namespace {

static_assert(FLT_EVAL_METHOD == 0, "write_double's shortcut needs divisions rounded to double");

constexpr std::size_t chunk = 4096;      // units whose worst case is reserved at a time
constexpr std::size_t longest_unit = 6;  // \u001f
constexpr std::size_t longest_number = 32;

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
constexpr std::array<char, 128> escapes =
    make_escapes();  // what follows the backslash; 0 = nothing to escape

char* put_escape(char* at, unsigned code, char escape) {
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
char* put_byte(char* at, char byte) {
  const auto code = static_cast<unsigned char>(byte);
  if (code < 0x80 && escapes[code] != 0) return put_escape(at, code, escapes[code]);
  *at++ = byte;
  return at;
}

/// Whether one of the bytes is below 0x20, a quote or a backslash. A borrow can only mark a byte that lies
/// above one that is rightly marked, so the answer is exact.
template <class Word>
bool any_escape(Word word) {
  constexpr Word ones = static_cast<Word>(0x0101010101010101u);
  constexpr Word highs = ones * 0x80;
  const Word quotes = word ^ (ones * '"');
  const Word backslashes = word ^ (ones * '\\');
  const Word controls = (word - ones * 0x20) & ~word;
  return ((controls | ((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes)) & highs) != 0;
}

template <class Word>
bool copy_plain(char* to, const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  std::memcpy(to, &word, sizeof word);
  return !any_escape(word);
}

char* put_bytes_singly(char* at, const char* from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) at = put_byte(at, from[i]);
  return at;
}

/// One to three bytes: first, middle and last one, which may be the same.
inline char* put_few_bytes(char* at, const char* from, std::size_t count) {
  const std::size_t middle = count / 2;
  const char bytes[4] = {from[0], from[middle], from[count - 1], ' '};
  std::uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  if (any_escape(word)) return put_bytes_singly(at, from, count);
  at[0] = bytes[0];
  at[middle] = bytes[1];
  at[count - 1] = bytes[2];
  return at + count;
}

constexpr std::size_t block = 32;

/// Copies a block and tells whether nothing in it is to be escaped. Without branches, so that compilers use
/// vectors.
bool copy_plain_block(char* to, const char* from) {
  unsigned char found = 0;
  for (std::size_t i = 0; i < block; ++i) {
    const auto code = static_cast<unsigned char>(from[i]);
    found = static_cast<unsigned char>(found | (code < 0x20) | (code == '"') | (code == '\\'));
  }
  std::memcpy(to, from, block);
  return found == 0;
}

/// At most `chunk` bytes of UTF-8, escaped, without quotes; there is room for the worst case.
inline char* put_bytes(char* at, const char* from, std::size_t count) {
  if (count < 4) return count == 0 ? at : put_few_bytes(at, from, count);
  if (count < 8) {  // two words that overlap
    if (copy_plain<std::uint32_t>(at, from) && copy_plain<std::uint32_t>(at + count - 4, from + count - 4)) {
      return at + count;
    }
    return put_bytes_singly(at, from, count);
  }
  const char* const end = from + count;
  while (static_cast<std::size_t>(end - from) >= block + 8 && copy_plain_block(at, from)) {
    at += block;
    from += block;
  }
  const char* const last = end - 8;
  bool plain = false;
  for (; from <= last; from += 8) {
    plain = copy_plain<std::uint64_t>(at, from);
    at = plain ? at + 8 : put_bytes_singly(at, from, 8);
  }
  const auto rest = static_cast<std::size_t>(end - from);
  if (rest == 0) return at;
  // The last word overlaps the one before it, which was copied as it is.
  if (plain && copy_plain<std::uint64_t>(at + rest - 8, last)) return at + rest;
  return put_bytes_singly(at, from, rest);
}

char* put_two(char* at, unsigned below_100) {
  at[0] = static_cast<char>('0' + below_100 / 10);
  at[1] = static_cast<char>('0' + below_100 % 10);
  return at + 2;
}

/// Decimals with at most 15 digits and 8 after the point: prices, sizes, whole numbers. Gives nullptr for
/// others.
///
/// A decimal of at most 15 digits is the only one of at most 15 digits that reads as its double. `scaled` and
/// the power are exact and the division is correctly rounded: where it gives the value back, `scaled / power`
/// is that decimal.
char* put_short_decimal(char* at, double size) {
  if (!(size < 1e15) || (size < 1e-4 && size != 0)) return nullptr;
  const double power = size < 1e7 ? 1e8 : size < 1e11 ? 1e4 : 1;
  const auto scaled = static_cast<std::uint64_t>(size * power + 0.5);
  if (static_cast<double>(scaled) / power != size) return nullptr;
  const auto divisor = static_cast<std::uint64_t>(power);
  at = std::to_chars(at, at + longest_number, scaled / divisor).ptr;
  auto fraction = static_cast<unsigned>(scaled % divisor);
  if (divisor == 10000) fraction *= 10000;
  *at++ = '.';
  if (fraction == 0) {
    *at++ = '0';
    return at;
  }
  char* end =
      put_two(put_two(put_two(put_two(at, fraction / 1000000), fraction / 10000 % 100), fraction / 100 % 100),
              fraction % 100);
  while (end[-1] == '0') --end;
  return end;
}

/// Any finite size: shortest digits by std::to_chars, laid out as float.__repr__ (exponents below -4 and from
/// 16 on).
char* put_any_double(char* at, double size) {
  char text[longest_number];
  const char* const end = std::to_chars(text, text + sizeof text, size, std::chars_format::scientific).ptr;
  const char* const mark = std::find(static_cast<const char*>(text), end, 'e');
  int exponent = 0;
  std::from_chars(mark[1] == '+' ? mark + 2 : mark + 1, end, exponent);
  char digits[longest_number];  // without the point
  digits[0] = text[0];
  std::size_t count = 1;
  if (text[1] == '.') {
    count = static_cast<std::size_t>(mark - text) - 1;
    std::memcpy(digits + 1, text + 2, count - 1);
  }
  const auto copy = [&at, &digits](std::size_t from, std::size_t to) {
    std::memcpy(at, digits + from, to - from);
    at += to - from;
  };
  const auto zeros = [&at](std::size_t number) {
    std::memset(at, '0', number);
    at += number;
  };
  if (exponent < -4 || exponent >= 16) {
    copy(0, 1);
    if (count > 1) *at++ = '.';
    copy(1, count);
    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    const unsigned power = static_cast<unsigned>(std::abs(exponent));
    if (power < 10) *at++ = '0';
    return std::to_chars(at, at + 3, power).ptr;
  }
  if (exponent < 0) {
    *at++ = '0';
    *at++ = '.';
    zeros(static_cast<std::size_t>(-exponent) - 1);
    copy(0, count);
    return at;
  }
  const std::size_t whole = static_cast<std::size_t>(exponent) + 1;  // digits before the point
  copy(0, std::min(whole, count));
  if (whole > count) zeros(whole - count);
  *at++ = '.';
  if (whole < count) {
    copy(whole, count);
  } else {
    *at++ = '0';
  }
  return at;
}

void write_long_string(Text& out, std::string_view utf8, char then) {
  out.put('"');
  while (!utf8.empty()) {
    const std::size_t part = std::min(utf8.size(), chunk);
    out.set_end(put_bytes(out.room(part * longest_unit), utf8.data(), part));
    utf8.remove_prefix(part);
  }
  out.put('"');
  out.put(then);
}

}  // namespace

Text::~Text() {
  if (begin_ != inline_) std::free(begin_);
}

void Text::grow(std::size_t size) {
  const auto used = static_cast<std::size_t>(end_ - begin_);
  const auto capacity = static_cast<std::size_t>(limit_ - begin_);
  const std::size_t wanted = std::max(used + size, capacity * 2);
  const bool on_heap = begin_ != inline_;
  char* const moved = static_cast<char*>(std::realloc(on_heap ? begin_ : nullptr, wanted));
  if (moved == nullptr) throw std::bad_alloc();
  if (!on_heap) std::memcpy(moved, inline_, used);
  begin_ = moved;
  end_ = moved + used;
  limit_ = moved + wanted;
}

void write_string(Text& out, std::string_view utf8, char then) {
  if (utf8.size() > chunk) return write_long_string(out, utf8, then);
  char* at = out.room(utf8.size() * longest_unit + 3);
  *at = '"';
  at = put_bytes(at + 1, utf8.data(), utf8.size());
  at[0] = '"';
  at[1] = then;
  out.set_end(at + 2);
}

void write_integer(Text& out, std::int64_t value, char then) {
  char* const at = out.room(longest_number);
  char* const end = std::to_chars(at, at + longest_number - 1, value).ptr;
  *end = then;
  out.set_end(end + 1);
}

void write_double(Text& out, double value, char then) {
  char* at = out.room(longest_number);
  if (std::signbit(value)) *at++ = '-';
  const double size = std::fabs(value);
  char* end = put_short_decimal(at, size);
  if (end == nullptr) end = put_any_double(at, size);
  *end = then;
  out.set_end(end + 1);
}

template <class Unit>
std::size_t write_code_points(Text& out, const Unit* points, std::size_t count, char then) {
  out.put('"');
  for (std::size_t start = 0; start < count;) {
    const std::size_t stop = start + std::min(count - start, chunk);
    char* at = out.room((stop - start) * longest_unit);
    for (std::size_t i = start; i < stop; ++i) {
      const std::uint32_t code = points[i];
      if (code < 0x80) {
        if (escapes[code] == 0) {
          *at++ = static_cast<char>(code);
        } else {
          at = put_escape(at, code, escapes[code]);
        }
      } else if (code < 0x800) {
        *at++ = static_cast<char>(0xC0 | (code >> 6));
        *at++ = static_cast<char>(0x80 | (code & 0x3F));
      } else if (code < 0x10000) {
        if (code - 0xD800 < 0x800) {
          out.set_end(at);
          return i;
        }
        *at++ = static_cast<char>(0xE0 | (code >> 12));
        *at++ = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        *at++ = static_cast<char>(0x80 | (code & 0x3F));
      } else {
        *at++ = static_cast<char>(0xF0 | (code >> 18));
        *at++ = static_cast<char>(0x80 | ((code >> 12) & 0x3F));
        *at++ = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        *at++ = static_cast<char>(0x80 | (code & 0x3F));
      }
    }
    out.set_end(at);
    start = stop;
  }
  out.put('"');
  out.put(then);
  return count;
}

template std::size_t write_code_points(Text&, const std::uint8_t*, std::size_t, char);
template std::size_t write_code_points(Text&, const std::uint16_t*, std::size_t, char);
template std::size_t write_code_points(Text&, const std::uint32_t*, std::size_t, char);

}  // namespace fastws::json
