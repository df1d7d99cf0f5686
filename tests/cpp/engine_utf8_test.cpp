// The validator against an independent decoder: every code point, every short byte string, any chunking.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "../../cpp/engine/outgoing.hpp"
#include "../../cpp/engine/utf8.hpp"

namespace fastws::engine {
namespace {

/// By the definition: decode, then look at the value and at the length it should have had.
bool reference(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = [&](std::size_t index) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(text[index]));
    };
    const std::uint32_t first = byte(at);
    if (first < 0x80) {
      ++at;
      continue;
    }
    const std::size_t length = (first & 0xE0) == 0xC0   ? 2
                               : (first & 0xF0) == 0xE0 ? 3
                               : (first & 0xF8) == 0xF0 ? 4
                                                        : 0;
    if (length == 0 || at + length > text.size()) return false;
    std::uint32_t value = first & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
      if ((byte(at + i) & 0xC0) != 0x80) return false;
      value = value << 6U | (byte(at + i) & 0x3F);
    }
    const std::uint32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
    if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
    at += length;
  }
  return true;
}

bool bytewise(const std::string& text) {
  Utf8Validator validator;
  for (const char& c : text) {
    if (!validator.feed(&c, 1)) return false;
  }
  return validator.complete();
}

std::string encoded(std::uint32_t value) {
  const auto tail = [&](unsigned shift) { return static_cast<char>(0x80 | (value >> shift & 0x3F)); };
  if (value < 0x80) return {static_cast<char>(value)};
  if (value < 0x800) return {static_cast<char>(0xC0 | value >> 6U), tail(0)};
  if (value < 0x10000) return {static_cast<char>(0xE0 | value >> 12U), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | value >> 18U), tail(12), tail(6), tail(0)};
}

TEST(EngineUtf8, EveryCodePointButSurrogates) {
  for (std::uint32_t value = 0; value < 0x120000; ++value) {
    const bool good = value < 0x110000 && (value < 0xD800 || value > 0xDFFF);
    const std::string text = encoded(value);
    ASSERT_EQ(is_utf8(text + "    "), good) << std::hex << value;  // padded: the bulk path
    ASSERT_EQ(bytewise(text), good) << std::hex << value;
  }
}

TEST(EngineUtf8, EveryStringOfThreeBytesFromTheBorders) {
  std::string borders;
  for (const int byte : {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF,
                         0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF}) {
    borders += static_cast<char>(byte);
  }
  for (const char a : borders) {
    for (const char b : borders) {
      for (const char c : borders) {
        for (const char* padding : {"", "\x80", "\xBFzzzz", "zzzzzzzzz"}) {
          const std::string text = std::string{a, b, c} + padding;
          const bool good = reference(text);
          ASSERT_EQ(is_utf8(text), good) << ::testing::PrintToString(text);
          ASSERT_EQ(bytewise(text), good) << ::testing::PrintToString(text);
        }
      }
    }
  }
}

TEST(EngineUtf8, RandomTextsWithOneByteSpoilt) {
  std::mt19937 engine(11);
  const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
  int bad = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (unsigned count = random() % 40; count != 0; --count) {
      const std::uint32_t highest[] = {0x7F, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF};
      std::uint32_t value = random() % (highest[random() % 5] + 1);
      if (value >= 0xD800 && value <= 0xDFFF) value = 'x';
      text += encoded(value);
    }
    if (round % 2 != 0 && !text.empty()) text[random() % text.size()] = static_cast<char>(random());
    const bool good = reference(text);
    bad += good ? 0 : 1;
    ASSERT_EQ(is_utf8(text), good) << ::testing::PrintToString(text);
    Utf8Validator chunked;
    bool passed = true;
    for (std::size_t at = 0; passed && at < text.size();) {
      const std::size_t count = std::min<std::size_t>(text.size() - at, random() % 9);
      passed = chunked.feed(text.data() + at, count);
      at += count;
    }
    ASSERT_EQ(passed && chunked.complete(), good) << ::testing::PrintToString(text);
  }
  EXPECT_GT(bad, 1000);
}

TEST(EngineUtf8, ABeginningThatCanNotBecomeValidIsRefusedAtOnce) {
  for (const char* start :
       {"\x80", "\xC0", "\xC1", "\xE0\x9F", "\xED\xA0", "\xF0\x8F", "\xF4\x90", "\xF5", "\xE2\x28"}) {
    Utf8Validator validator;
    EXPECT_FALSE(validator.feed(start, std::char_traits<char>::length(start)))
        << ::testing::PrintToString(start);
  }
}

TEST(EngineUtf8, ABeginningThatMayBecomeValidIsNotComplete) {
  for (const char* start : {"\xC2", "\xE0\xA0", "\xED\x9F", "\xF0\x90", "\xF4\x8F\xBF", "abc\xE2\x82"}) {
    Utf8Validator validator;
    EXPECT_TRUE(validator.feed(start, std::char_traits<char>::length(start)));
    EXPECT_FALSE(validator.complete());
    validator.reset();
    EXPECT_TRUE(validator.complete());
  }
}

TEST(EngineUtf8, NothingIsUtf8) { EXPECT_TRUE(is_utf8({})); }

}  // namespace
}  // namespace fastws::engine
