// Integers by their digits. Doubles with few digits and a small exponent by one exact division or multiplication, all
// others by the standard library's std::from_chars: correctly rounded, and no locale in it.
#include "number.hpp"

#include <cfloat>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "../ascii.hpp"

namespace fastws::json {

namespace {

static_assert(FLT_EVAL_METHOD == 0, "the short way needs a product and a quotient rounded to double");

// Python refuses integers of more digits than sys.set_int_max_str_digits() allows, 640 at the least: json.loads says so.
constexpr std::size_t most_digits = 300;
constexpr std::size_t uint64_digits = 19;  // 10^19 < 2^64

constexpr std::uint64_t most_exact = std::uint64_t{1} << 53;  // integers up to here are doubles
constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                             1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};  // all exact

struct Digits {
  const char* at;
  const char* end;
  std::uint64_t value = 0;  // right while at most uint64_digits were read
  std::size_t count = 0;

  void read() noexcept {
    const char* begin = at;
    for (; at != end && is_digit(*at); ++at) value = value * 10 + static_cast<std::uint64_t>(*at - '0');
    count += static_cast<std::size_t>(at - begin);
  }
};

/// The exponent of at most three digits behind an 'e'; 9999 for a longer one.
int exponent_of(const char* at, const char* end) noexcept {
  const bool negative = *at == '-';
  if (negative || *at == '+') ++at;
  if (end - at > 3) return 9999;
  int value = 0;
  for (; at != end; ++at) value = value * 10 + (*at - '0');
  return negative ? -value : value;
}

Number integer(const Digits& digits, bool negative) noexcept {
  Number number;
  if (digits.count > most_digits) return number;
  if (digits.count > uint64_digits || digits.value > static_cast<std::uint64_t>(INT64_MAX)) {
    number.kind = Number::Kind::digits;
    return number;
  }
  number.kind = Number::Kind::integer;
  number.integer = static_cast<std::int64_t>(digits.value);
  if (negative) number.integer = -number.integer;
  return number;
}

}  // namespace

Number read_number(std::string_view text) noexcept {
  const bool negative = text[0] == '-';
  Digits digits{text.data() + (negative ? 1 : 0), text.data() + text.size()};
  digits.read();
  if (digits.at == digits.end) return integer(digits, negative);

  Number number;
  number.kind = Number::Kind::float64;
  std::ptrdiff_t exponent = 0;
  if (*digits.at == '.') {
    ++digits.at;
    const char* fraction = digits.at;
    digits.read();
    exponent = fraction - digits.at;
  }
  if (digits.at != digits.end) exponent += exponent_of(digits.at + 1, digits.end);
  if (digits.count <= uint64_digits && digits.value <= most_exact && exponent >= -22 && exponent <= 22) {
    // Both are exact and the operation rounds once: this is the nearest double (W. D. Clinger, "How to read floating
    // point numbers accurately", 1990).
    const auto value = static_cast<double>(digits.value);
    number.float64 = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
    if (negative) number.float64 = -number.float64;
    return number;
  }
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number.float64);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size())
    number.kind = Number::Kind::refused;
  return number;
}

}  // namespace fastws::json
