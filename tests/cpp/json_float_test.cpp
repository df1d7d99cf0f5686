// How cpp/json/writer writes floats of 32 bits: in the digits that a float needs, laid out as Python's repr.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "../../cpp/json/writer.hpp"

namespace fastws::json {
namespace {

std::string float_text(float value) {
  Text out;
  write_float(out, value, ',');
  return std::string(out.view());
}

TEST(JsonWriterFloat, LayoutOfRepr) {
  EXPECT_EQ(float_text(0.0F), "0.0,");
  EXPECT_EQ(float_text(-0.0F), "-0.0,");
  EXPECT_EQ(float_text(0.1F), "0.1,");
  EXPECT_EQ(float_text(-2.5F), "-2.5,");
  EXPECT_EQ(float_text(1.0F), "1.0,");
  EXPECT_EQ(float_text(16777216.0F), "16777216.0,");
  EXPECT_EQ(float_text(1e-4F), "0.0001,");
  EXPECT_EQ(float_text(1e-5F), "1e-05,");
  EXPECT_EQ(float_text(1e16F), "1e+16,");
  EXPECT_EQ(float_text(std::numeric_limits<float>::max()), "3.4028235e+38,");
  EXPECT_EQ(float_text(std::numeric_limits<float>::denorm_min()), "1e-45,");
}

TEST(JsonWriterFloat, RandomBitsReadBack) {
  std::mt19937 random(20260101);
  for (int round = 0; round < 200'000; ++round) {
    const auto bits = static_cast<std::uint32_t>(random());
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string text = float_text(value);
    ASSERT_EQ(std::strtof(text.c_str(), nullptr), value) << text;
    ASSERT_LE(text.find_first_of("e,") - (text[0] == '-' ? 1 : 0), 20U) << text;
  }
}

}  // namespace
}  // namespace fastws::json
