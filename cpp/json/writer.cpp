// JSON text from plain values: the long strings; see writer.hpp.
//
// May know: escape, text. Promises: runs of ASCII are narrowed and copied eight units a step.

#include "writer.hpp"

#include <algorithm>

namespace fastws::json {
namespace {

constexpr std::size_t run = 8;  // units that are looked at together

/// Eight units, when all are ASCII and need no escape.
template <class Unit>
bool put_plain_run(char* at, const Unit* points) {
  std::uint32_t all = 0;
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < run; ++i) all |= points[i];
  if (all >= 0x80) return false;
  char bytes[run];
  for (std::size_t i = 0; i < run; ++i) bytes[i] = static_cast<char>(points[i]);
  std::memcpy(&word, bytes, run);
  std::memcpy(at, &word, run);
  return !any_escape(word);
}

/// One code point; nullptr for a surrogate.
inline char* put_code_point(char* at, std::uint32_t code) {
  if (code < 0x80) return put_ascii(at, code);
  const auto low = [code](unsigned bits) { return static_cast<char>(0x80 | ((code >> bits) & 0x3F)); };
  if (code < 0x800) {
    at[0] = static_cast<char>(0xC0 | (code >> 6));
    at[1] = low(0);
    return at + 2;
  }
  if (code < 0x10000) {
    if (code - 0xD800 < 0x800) return nullptr;
    at[0] = static_cast<char>(0xE0 | (code >> 12));
    at[1] = low(6);
    at[2] = low(0);
    return at + 3;
  }
  at[0] = static_cast<char>(0xF0 | (code >> 18));
  at[1] = low(12);
  at[2] = low(6);
  at[3] = low(0);
  return at + 4;
}

}  // namespace

void write_long_string(Text& out, std::string_view utf8, char then) {
  out.put('"');
  while (!utf8.empty()) {
    const std::size_t part = std::min(utf8.size(), longest_part);
    out.set_end(put_escaped(out.room(part * longest_unit + Block::size), utf8.data(), part));
    utf8.remove_prefix(part);
  }
  out.put('"');
  out.put(then);
}

template <class Unit>
std::size_t write_code_points(Text& out, const Unit* points, std::size_t count, char then) {
  out.put('"');
  for (std::size_t index = 0; index < count;) {
    const std::size_t part = index + std::min(count - index, longest_part);
    char* at = out.room((part - index) * longest_unit);
    while (index < part) {
      if (part - index >= run && put_plain_run(at, points + index)) {
        at += run;
        index += run;
        continue;
      }
      for (const std::size_t stop = std::min(part, index + run); index < stop; ++index) {
        char* const next = put_code_point(at, points[index]);
        if (next == nullptr) return index;
        at = next;
      }
    }
    out.set_end(at);
  }
  out.put('"');
  out.put(then);
  return count;
}

template std::size_t write_code_points(Text&, const std::uint8_t*, std::size_t, char);
template std::size_t write_code_points(Text&, const std::uint16_t*, std::size_t, char);
template std::size_t write_code_points(Text&, const std::uint32_t*, std::size_t, char);

}  // namespace fastws::json
