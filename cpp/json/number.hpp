// Number texts to values, exactly as Python's int() and float() read them.
//
// May know: nothing of this project. Promises: correctly rounded, free of locale, no allocation; what it does not take as
// Python would, it refuses.
#pragma once

#include <cstdint>
#include <string_view>

namespace fastws::json {

struct Number {
  enum class Kind : std::uint8_t {
    integer,  // `integer`
    digits,   // an integer that 64 bits do not hold: kept as text
    float64,  // `float64`
    refused,  // out of range, or longer than Python may be willing to read
  };
  Kind kind = Kind::refused;
  std::int64_t integer = 0;
  double float64 = 0.0;
};

/// The number that begins at `at`, in the form of RFC 8259 section 6: where it ends, and nullptr where none begins. At least
/// what lies before `end` is readable.
const char* read_number(const char* at, const char* end, Number& number) noexcept;

/// `text` has the form of a JSON number (RFC 8259 section 6): the caller has checked that.
Number read_number(std::string_view text) noexcept;

}  // namespace fastws::json
