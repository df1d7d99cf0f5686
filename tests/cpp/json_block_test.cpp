// Both kinds of block against a loop over the bytes, and the code points against plain arithmetic.
#include "json/block.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

#include "json/unicode.hpp"

namespace {

using namespace fastws::json;

template <class Judge>
Mask singly(const std::string& bytes, Judge judge) {
  Mask mask = 0;
  for (std::size_t at = 0; at < 16; ++at) {
    if (judge(static_cast<unsigned char>(bytes[at]))) mask |= Mask{1} << at;
  }
  return mask;
}

template <class Kind>
void expect_right_masks() {
  std::mt19937 dice(11);
  const std::string interesting("\0\x01\x1f\x20\"\\\x7f\x80\xff!#[]{}", 15);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(16, ' ');
    for (char& byte : bytes) {
      byte = dice() % 2 == 0 ? interesting[dice() % interesting.size()] : static_cast<char>(dice() % 256);
    }
    const Kind block(bytes.data());
    EXPECT_EQ(block.equal('"'), singly(bytes, [](unsigned char c) { return c == '"'; }));
    EXPECT_EQ(block.equal('\x80'), singly(bytes, [](unsigned char c) { return c == 0x80; }));
    EXPECT_EQ(block.equal('\0'), singly(bytes, [](unsigned char c) { return c == 0; }));
    EXPECT_EQ(block.equal_folded('{'), singly(bytes, [](unsigned char c) { return c == '{' || c == '['; }));
    EXPECT_EQ(block.control(), singly(bytes, [](unsigned char c) { return c < 0x20; }));
    EXPECT_EQ(block.non_ascii(), singly(bytes, [](unsigned char c) { return c >= 0x80; }));
  }
}

TEST(JsonBlock, ThePortableOneIsRight) { expect_right_masks<PortableBlock>(); }
TEST(JsonBlock, TheOneOfThisMachineIsRight) { expect_right_masks<Block>(); }

std::string utf8_of(char32_t c) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f))};
  if (c < 0x10000) return {byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
  return {byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f)), byte(0x80 | (c >> 6 & 0x3f)),
          byte(0x80 | (c & 0x3f))};
}

TEST(JsonUnicode, DecodesWhatItMeasured) {
  std::mt19937 dice(12);
  const char32_t edges[] = {0,     0x7f,   0x80,   0xff,   0x100,   0x7ff,
                            0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
  for (int round = 0; round < 5000; ++round) {
    const std::size_t most = 1 + dice() % 12;  // only so many of the edges: narrow texts, too
    std::u32string wanted;
    std::string text;
    char32_t widest = 0;
    for (auto count = dice() % 200; count != 0; --count) {
      const char32_t c = dice() % 3 == 0 ? edges[dice() % most] : U'a' + static_cast<char32_t>(dice() % 26);
      wanted += c;
      text += utf8_of(c);
      widest = std::max(widest, c);
    }
    const Width width = width_of(text);
    ASSERT_EQ(width.characters, wanted.size());
    ASSERT_EQ(width.unit, widest < 0x100 ? 1u : widest < 0x10000 ? 2u : 4u);
    std::string units(width.characters * width.unit, '\xee');
    decode(text, width, units.data());
    for (std::size_t index = 0; index < wanted.size(); ++index) {
      char32_t unit = 0;
      std::memcpy(&unit, units.data() + index * width.unit, width.unit);
      ASSERT_EQ(unit, wanted[index]) << index;
    }
  }
}

TEST(JsonUnicode, SeesSurrogates) {
  EXPECT_TRUE(holds_surrogate("a\xed\xa0\x80"));
  EXPECT_TRUE(holds_surrogate("\xed\xbf\xbf"));
  EXPECT_FALSE(holds_surrogate("\xed\x9f\xbf"));
  EXPECT_FALSE(holds_surrogate("\xed"));
}

}  // namespace
