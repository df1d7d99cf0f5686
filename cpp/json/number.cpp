// Integers by their digits, all else by the standard library's std::from_chars: correctly rounded, and no locale in it.
#include "number.hpp"

#include <charconv>
#include <system_error>

namespace fastws::json {

namespace {

// Python refuses integers of more digits than sys.set_int_max_str_digits() allows, 640 at the least: json.loads says so.
constexpr std::size_t most_digits = 300;
constexpr std::size_t int64_digits = 18;  // 10^18 < 2^63

}  // namespace

Number read_number(std::string_view text) noexcept {
  Number number;
  const bool negative = text[0] == '-';
  const std::string_view unsigned_text = text.substr(negative ? 1 : 0);
  if (unsigned_text.find_first_of(".eE") == std::string_view::npos) {
    if (unsigned_text.size() > most_digits) return number;
    if (unsigned_text.size() > int64_digits) {
      number.kind = Number::Kind::digits;
      return number;
    }
    std::int64_t value = 0;
    for (const char digit : unsigned_text) value = value * 10 + (digit - '0');
    number.kind = Number::Kind::integer;
    number.integer = negative ? -value : value;
    return number;
  }
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number.float64);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return number;
  number.kind = Number::Kind::float64;
  return number;
}

}  // namespace fastws::json
