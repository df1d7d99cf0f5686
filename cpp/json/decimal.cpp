// Doubles -> their shortest text; see decimal.hpp.
//
// May know: digits, Dragonbox. Promises: the digits are Dragonbox's (Jeon's algorithm: the shortest that read back, the
// closest of those), or those of an exact shortcut for short decimals; the layout is that of Python's repr. std::to_chars
// would give the same digits in four times the time.

#include "decimal.hpp"

#include <dragonbox/dragonbox.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "digits.hpp"

namespace fastws::json {
namespace {

static_assert(FLT_EVAL_METHOD == 0, "the shortcut needs divisions rounded to double");

/// A decimal of at most 15 digits, `places` of them behind the point, or nullptr.
///
/// A decimal of at most 15 digits is the only one of at most 15 digits that reads as its double. `scaled` and the power are
/// exact and the division is correctly rounded: where it gives the value back, `scaled / power` is that decimal.
template <std::int64_t power>
char* put_scaled(char* at, double size) {
  const auto scaled = static_cast<std::int64_t>(size * static_cast<double>(power) + 0.5);
  if (static_cast<double>(scaled) / static_cast<double>(power) != size) return nullptr;
  at = put_unsigned(at, static_cast<std::uint64_t>(scaled / power));
  *at++ = '.';
  const auto fraction = static_cast<std::uint32_t>(scaled % power * (100'000'000 / power));
  if (fraction == 0) {
    *at = '0';
    return at + 1;
  }
  const std::uint64_t digits = eight_digits(fraction);
  store_digits(at, digits);
  return at + (8 - static_cast<unsigned>(__builtin_clzll(digits)) / 8);
}

/// Decimals with at most 15 digits and 8 after the point: prices, sizes, whole numbers. Gives nullptr for others.
char* put_short_decimal(char* at, double size) {
  if (size < 1e7) return size < 1e-4 && size != 0 ? nullptr : put_scaled<100'000'000>(at, size);
  if (size < 1e11) return put_scaled<10'000>(at, size);
  return size < 1e15 ? put_scaled<1>(at, size) : nullptr;
}

/// Ten to the power, as Python writes it: with a sign, in two digits at least.
char* put_exponent(char* at, int power) {
  *at++ = 'e';
  *at++ = power < 0 ? '-' : '+';
  const auto size = static_cast<std::uint32_t>(power < 0 ? -power : power);
  if (size < 10) *at++ = '0';
  return put_up_to_eight(at, size);
}

/// Any finite size but 0, which has no shortest digits.
template <class Float>
char* put_any(char* at, Float size) {
  namespace policy = jkj::dragonbox::policy;
  const auto decimal = jkj::dragonbox::to_decimal(size, policy::sign::ignore, policy::trailing_zero::remove);
  char digits[longest_integer];
  const auto count = static_cast<int>(put_unsigned(digits, decimal.significand) - digits);
  const int point = count + decimal.exponent;  // how many digits stand before it
  const auto put = [&at, &digits](int from, int to) {
    std::memcpy(at, digits + from, static_cast<std::size_t>(to - from));
    at += to - from;
  };
  const auto put_zeros = [&at](int zeros) {
    for (; zeros > 0; --zeros) *at++ = '0';
  };
  if (point < -3 || point > 16) {  // where float.__repr__ leaves plain notation
    put(0, 1);
    if (count > 1) *at++ = '.';
    put(1, count);
    return put_exponent(at, point - 1);
  }
  if (point <= 0) *at++ = '0';
  put(0, std::clamp(point, 0, count));
  put_zeros(point - count);
  *at++ = '.';
  put_zeros(-point);
  if (point >= count) *at++ = '0';
  put(std::clamp(point, 0, count), count);
  return at;
}

}  // namespace

char* put_double(char* at, double value) {
  if (std::signbit(value)) *at++ = '-';
  const double size = std::fabs(value);
  char* const end = put_short_decimal(at, size);
  return end != nullptr ? end : put_any(at, size);
}

char* put_float(char* at, float value) {
  if (std::signbit(value)) *at++ = '-';
  const float size = std::fabs(value);
  if (size != 0) return put_any(at, size);
  std::memcpy(at, "0.0", 3);
  return at + 3;
}

}  // namespace fastws::json
