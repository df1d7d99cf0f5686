// Doubles -> their shortest text; see decimal.hpp.
//
// May know: digits, the standard library. Promises: std::to_chars gives the digits (shortest, correctly rounded), or an
// exact shortcut for short decimals.

#include "decimal.hpp"

#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstdint>

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

/// Any finite size. Beyond float.__repr__'s limits for plain notation, std::to_chars writes exponents as Python does: with
/// a sign, in two digits at least.
template <class Float>
char* put_any(char* at, Float size) {
  char* const limit = at + longest_double;
  if ((size < static_cast<Float>(1e-4) && size != 0) || size >= static_cast<Float>(1e16))
    return std::to_chars(at, limit, size, std::chars_format::scientific).ptr;
  char* const end = std::to_chars(at, limit, size, std::chars_format::fixed).ptr;
  if (size != std::trunc(size)) return end;
  end[0] = '.';
  end[1] = '0';
  return end + 2;
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
  return put_any(at, std::fabs(value));
}

}  // namespace fastws::json
