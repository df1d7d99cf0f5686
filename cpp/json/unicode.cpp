// One pass to measure, one to decode; runs of ASCII go eight bytes a step.
#include "unicode.hpp"

#include <cstring>

namespace fastws::json {

namespace {

constexpr std::uint64_t highs = 0x8080808080808080;

std::uint64_t eight_bytes(const unsigned char* bytes) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

template <class Unit>
void decode_to(Unit* to, const unsigned char* at, const unsigned char* end) noexcept {
  while (at < end) {
    if (end - at >= 8 && (eight_bytes(at) & highs) == 0) {
      for (int index = 0; index < 8; ++index) to[index] = at[index];
      to += 8;
      at += 8;
      continue;
    }
    const std::uint32_t first = *at;
    if (first < 0x80) {
      *to++ = static_cast<Unit>(first);
      ++at;
    } else if (first < 0xe0) {
      *to++ = static_cast<Unit>((first & 0x1f) << 6 | (at[1] & 0x3fu));
      at += 2;
    } else if (first < 0xf0) {
      // Scripts of three bytes a character come in runs.
      do {
        *to++ = static_cast<Unit>((at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu));
        at += 3;
      } while (at < end && (*at & 0xf0) == 0xe0);
    } else {
      *to++ = static_cast<Unit>((first & 0x07) << 18 | (at[1] & 0x3fu) << 12 | (at[2] & 0x3fu) << 6 |
                                (at[3] & 0x3fu));
      at += 4;
    }
  }
}

}  // namespace

Width width_of(std::string_view utf8) noexcept {
  std::size_t continuations = 0;
  unsigned char highest = 0;
  // Without branches, in pieces whose count fits a byte: compilers use vectors.
  for (std::size_t start = 0; start < utf8.size(); start += 128) {
    const std::size_t stop = start + 128 < utf8.size() ? start + 128 : utf8.size();
    unsigned char some = 0;
    for (std::size_t at = start; at < stop; ++at) {
      const auto byte = static_cast<unsigned char>(utf8[at]);
      some = static_cast<unsigned char>(some + (static_cast<signed char>(byte) < -64 ? 1 : 0));
      highest = byte > highest ? byte : highest;
    }
    continuations += some;
  }
  return {utf8.size() - continuations, highest < 0xc4 ? 1u : highest < 0xf0 ? 2u : 4u};
}

void decode(std::string_view utf8, const Width& width, void* units) noexcept {
  const auto* begin = reinterpret_cast<const unsigned char*>(utf8.data());
  const unsigned char* end = begin + utf8.size();
  switch (width.unit) {
    case 1: decode_to(static_cast<std::uint8_t*>(units), begin, end); break;
    case 2: decode_to(static_cast<std::uint16_t*>(units), begin, end); break;
    default: decode_to(static_cast<std::uint32_t*>(units), begin, end); break;
  }
}

bool holds_surrogate(std::string_view almost_utf8) noexcept {
  for (std::size_t at = 0; at + 1 < almost_utf8.size(); ++at) {
    if (static_cast<unsigned char>(almost_utf8[at]) == 0xed &&
        static_cast<unsigned char>(almost_utf8[at + 1]) >= 0xa0) {
      return true;
    }
  }
  return false;
}

}  // namespace fastws::json
