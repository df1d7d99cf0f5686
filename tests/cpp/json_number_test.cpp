// Numbers, digit by digit and eight at a time: every length and surrounding, beside the standard library.
#include "json/number.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "json/digits.hpp"

namespace {

using namespace fastws::json;

/// Reads from a block of memory that ends where the text does, so that a sanitizer sees what is read behind it.
std::pair<Number, std::ptrdiff_t> read(const std::string& text) {
  const std::unique_ptr<char[]> exact(new char[text.size()]);
  text.copy(exact.get(), text.size());
  Number number;
  const char* const end = read_number(exact.get(), exact.get() + text.size(), number);
  return {number, end == nullptr ? -1 : end - exact.get()};
}

TEST(JsonNumber, IntegersByTheirSize) {
  EXPECT_EQ(read_number("-0").integer, 0);
  EXPECT_EQ(read_number("999999999999999999").integer, 999999999999999999);
  EXPECT_EQ(read_number("9223372036854775807").integer, INT64_MAX);
  EXPECT_EQ(read_number("-9223372036854775807").integer, -INT64_MAX);
  EXPECT_EQ(read_number("9223372036854775808").kind, Number::Kind::digits);
  EXPECT_EQ(read_number("99999999999999999999").kind, Number::Kind::digits);
  EXPECT_EQ(read_number(std::string(300, '9')).kind, Number::Kind::digits);
  EXPECT_EQ(read_number(std::string(301, '9')).kind, Number::Kind::refused);
}

TEST(JsonNumber, DoublesAreCorrectlyRounded) {
  EXPECT_EQ(read_number("0.184467440737095516159").float64, 0.184467440737095516159);
  EXPECT_EQ(read_number("2.2250738585072011e-308").float64, 2.2250738585072011e-308);
  EXPECT_EQ(read_number("1.7976931348623157e308").float64, 1.7976931348623157e308);
  EXPECT_TRUE(std::signbit(read_number("-0.0").float64));
  EXPECT_EQ(read_number("1.8e308").kind, Number::Kind::refused);
  EXPECT_EQ(read_number("1e0000000000000000000002").float64, 100.0);
  EXPECT_EQ(read_number("1e-99999999999999999999").kind, Number::Kind::refused);
}

TEST(JsonNumber, EndsWhereItsFormEnds) {
  const auto end = [](const std::string& text) { return read(text).second; };
  for (const std::string no :
       {"", "-", "+1", ".5", "-.5", "x", "--1", "1.", "1.x", "1e", "1e+", "1.5E-", "-e1", ":1", "/1"}) {
    EXPECT_EQ(end(no), -1) << no;
  }
  EXPECT_EQ(end("01"), 1);
  EXPECT_EQ(end("-01"), 2);
  EXPECT_EQ(end("00.5"), 1);
  EXPECT_EQ(end("0.5.5"), 3);
  EXPECT_EQ(end("1e5e5"), 3);
  EXPECT_EQ(end("12345678"), 8);
  EXPECT_EQ(end("12345678,"), 8);
  EXPECT_EQ(end("1234567890123456789012345678901234567890]"), 40);
}

TEST(JsonNumber, EveryByteBehindADigitEndsItUnlessItIsOne) {
  for (std::size_t digits = 1; digits <= 17; ++digits) {
    for (int byte = 0; byte < 256; ++byte) {
      const char behind = static_cast<char>(byte);
      if (behind == '.' || behind == 'e' || behind == 'E') continue;
      const bool another = behind >= '0' && behind <= '9';
      const std::string text = std::string("98765432109876543").substr(0, digits) + behind + "\x80\xff:/9";
      EXPECT_EQ(read(text).second, static_cast<std::ptrdiff_t>(digits + (another ? 1 : 0)))
          << digits << " " << byte;
    }
  }
}

TEST(JsonNumber, EightDigitsAtOnceAreTheNumberThatTheyAre) {
  std::mt19937_64 dice(7);
  for (int round = 0; round < 20000; ++round) {
    // Of every length alike, for a whole number and for both sides of a point.
    const std::uint64_t value = dice() >> dice() % 64;
    const std::string text = std::to_string(value >> 1);
    const auto [integer, end] = read(text + (round % 2 == 0 ? "" : ",12345678"));
    ASSERT_EQ(end, static_cast<std::ptrdiff_t>(text.size()));
    ASSERT_EQ(integer.kind, Number::Kind::integer);
    ASSERT_EQ(static_cast<std::uint64_t>(integer.integer), value >> 1);
    const std::string real =
        std::to_string(value >> dice() % 64) + "." + std::to_string(dice() >> dice() % 64);
    double wanted = 0.0;
    std::from_chars(real.data(), real.data() + real.size(), wanted);
    ASSERT_EQ(read(real).first.float64, wanted) << real;
  }
  std::uint64_t characters = 0;
  std::memcpy(&characters, "12345678", 8);
  EXPECT_EQ(leading_digits(characters), 8u);
  EXPECT_EQ(from_eight_digits(characters), 12345678u);
}

}  // namespace
