// Whole numbers as decimal digits, eight at a time in one word.
//
// May know: nothing of this project. Promises: no division but by constants, no table. The caller answers for
// longest_integer writable bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace fastws::json {

constexpr std::size_t longest_integer = 24;  // 20 digits, and what a whole word writes behind them
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first digit lies in the lowest byte");

constexpr std::uint64_t eight_zeros = 0x3030303030303030;

/// The digits of a number below 10^8, a byte each, from 0 to 9: the first one in the lowest byte. Four digits, then two,
/// then one are split off in parallel lanes; the multiplications are by 1/100 and 1/10, exact for what the lanes hold.
inline std::uint64_t eight_digits(std::uint32_t number) {
  const std::uint64_t fours = number / 10000 | std::uint64_t{number % 10000} << 32;
  const std::uint64_t upper = (fours * 10486 >> 20) & 0x0000007f0000007f;
  const std::uint64_t twos = upper | (fours - upper * 100) << 16;
  const std::uint64_t tens = (twos * 103 >> 10) & 0x000f000f000f000f;
  return tens | (twos - tens * 10) << 8;
}

/// The other way: the number that eight such digits are.
inline std::uint32_t from_eight_digits(std::uint64_t digits) {
  // Neighbours become one in each step, where the later of them was: tens and ones, hundreds, ten thousands.
  digits = (digits * (1 + (10 << 8)) >> 8) & 0x00ff00ff00ff00ff;
  digits = (digits * (1 + (100 << 16)) >> 16) & 0x0000ffff0000ffff;
  return static_cast<std::uint32_t>(digits * (1 + (std::uint64_t{10000} << 32)) >> 32);
}

/// How many of eight characters are digits, from the first one on; the digits become bytes from 0 to 9.
inline unsigned leading_digits(std::uint64_t& characters) {
  characters ^= eight_zeros;
  // The highest bit of every byte above 9, if none before it carried: the first one is right.
  const std::uint64_t others = ((characters + 0x7676767676767676) | characters) & 0x8080808080808080;
  return others == 0 ? 8 : static_cast<unsigned>(__builtin_ctzll(others)) / 8;
}

inline void store_digits(char* at, std::uint64_t digits) {
  digits |= eight_zeros;
  std::memcpy(at, &digits, sizeof digits);
}

/// All eight, with leading zeros.
inline char* put_eight(char* at, std::uint32_t number) {
  store_digits(at, eight_digits(number));
  return at + 8;
}

/// Below 10^8, without leading zeros.
inline char* put_up_to_eight(char* at, std::uint32_t number) {
  if (number < 10) {
    *at = static_cast<char>('0' + number);
    return at + 1;
  }
  const std::uint64_t digits = eight_digits(number);
  const auto zeros = static_cast<unsigned>(__builtin_ctzll(digits)) / 8;
  store_digits(at, digits >> zeros * 8);
  return at + (8 - zeros);
}

inline char* put_unsigned(char* at, std::uint64_t number) {
  constexpr std::uint64_t eight = 100'000'000;
  if (number < eight) return put_up_to_eight(at, static_cast<std::uint32_t>(number));
  if (number < eight * eight) {
    at = put_up_to_eight(at, static_cast<std::uint32_t>(number / eight));
    return put_eight(at, static_cast<std::uint32_t>(number % eight));
  }
  const std::uint64_t upper = number / (eight * eight);
  const std::uint64_t lower = number % (eight * eight);
  at = put_up_to_eight(at, static_cast<std::uint32_t>(upper));
  at = put_eight(at, static_cast<std::uint32_t>(lower / eight));
  return put_eight(at, static_cast<std::uint32_t>(lower % eight));
}

}  // namespace fastws::json
