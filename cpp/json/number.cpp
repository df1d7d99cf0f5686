// Integers by their digits. Doubles with few digits and a small exponent by one exact division or multiplication, all
// others by the standard library's std::from_chars: correctly rounded, and no locale in it.
#include "number.hpp"

#include <cfloat>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "../ascii.hpp"
#include "digits.hpp"

namespace fastws::json {

namespace {

static_assert(FLT_EVAL_METHOD == 0, "the short way needs a product and a quotient rounded to double");

// Python refuses integers of more digits than sys.set_int_max_str_digits() allows, 640 at the least: json.loads says so.
constexpr std::size_t most_digits = 300;
constexpr std::size_t uint64_digits = 19;  // 10^19 < 2^64

constexpr std::uint64_t most_exact = std::uint64_t{1} << 53;  // integers up to here are doubles
constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                             1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};  // all exact

constexpr std::uint32_t shifts[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

struct Digits {
  const char* at;
  const char* end;
  std::uint64_t value = 0;  // right while at most uint64_digits were read
  std::size_t count = 0;

  /// All the digits that follow; how many.
  std::size_t read() noexcept {
    const char* const begin = at;
    unsigned some = 8;
    while (some == 8 && end - at >= 8) {
      std::uint64_t characters = 0;
      std::memcpy(&characters, at, sizeof characters);
      some = leading_digits(characters);
      if (some == 0) break;
      value = value * shifts[some] + from_eight_digits(characters << (64 - 8 * some));
      at += some;
    }
    if (some == 8) {
      for (; at != end && is_digit(*at); ++at) value = value * 10 + static_cast<std::uint64_t>(*at - '0');
    }
    const auto read_now = static_cast<std::size_t>(at - begin);
    count += read_now;
    return read_now;
  }
};

/// The exponent behind an 'e', at most 9999. False = there is none.
bool read_exponent(const char*& at, const char* end, std::ptrdiff_t& exponent) noexcept {
  const bool negative = at != end && *at == '-';
  if (negative || (at != end && *at == '+')) ++at;
  const char* const begin = at;
  std::ptrdiff_t value = 0;
  for (; at != end && is_digit(*at); ++at) {
    if (value < 1000) value = value * 10 + (*at - '0');
  }
  exponent += negative ? -value : value;
  return at != begin;
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

const char* read_number(const char* begin, const char* end, Number& number) noexcept {
  const bool negative = begin != end && *begin == '-';
  Digits digits{begin + (negative ? 1 : 0), end};
  if (digits.at != end && *digits.at == '0') {  // no digit may follow
    ++digits.at;
    digits.count = 1;
  } else if (digits.read() == 0) {
    return nullptr;
  }
  const bool point = digits.at != end && *digits.at == '.';
  if (!point && (digits.at == end || (*digits.at | 0x20) != 'e')) {
    number = integer(digits, negative);
    return digits.at;
  }

  std::ptrdiff_t exponent = 0;
  if (point) {
    ++digits.at;
    const std::size_t fraction = digits.read();
    if (fraction == 0) return nullptr;
    exponent = -static_cast<std::ptrdiff_t>(fraction);
  }
  if (digits.at != end && (*digits.at | 0x20) == 'e') {
    ++digits.at;
    if (!read_exponent(digits.at, end, exponent)) return nullptr;
  }
  number.kind = Number::Kind::float64;
  if (digits.count <= uint64_digits && digits.value <= most_exact && exponent >= -22 && exponent <= 22) {
    // Both are exact and the operation rounds once: this is the nearest double (W. D. Clinger, "How to read floating
    // point numbers accurately", 1990).
    const auto value = static_cast<double>(digits.value);
    number.float64 = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
    if (negative) number.float64 = -number.float64;
    return digits.at;
  }
  const auto result = std::from_chars(begin, digits.at, number.float64);
  if (result.ec != std::errc() || result.ptr != digits.at) number.kind = Number::Kind::refused;
  return digits.at;
}

Number read_number(std::string_view text) noexcept {
  Number number;
  const char* const end = text.data() + text.size();
  if (read_number(text.data(), end, number) != end) number.kind = Number::Kind::refused;
  return number;
}

}  // namespace fastws::json
