// What the grammars call a digit, a letter, a token and a blank: each byte, whatever the locale.
#include <gtest/gtest.h>

#include <string>

#include "../../cpp/ascii.hpp"

namespace {

using namespace fastws;

const std::string digits = "0123456789";
const std::string small = "abcdefghijklmnopqrstuvwxyz";
const std::string large = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool among(const std::string& characters, char c) { return characters.find(c) != std::string::npos; }

TEST(Ascii, EveryByteIsWhatTheGrammarsSay) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_EQ(is_digit(c), among(digits, c)) << byte;
    EXPECT_EQ(is_alpha(c), among(small + large, c)) << byte;
    EXPECT_EQ(in_token(c), among(digits + small + large + "!#$%&'*+-.^_`|~", c)) << byte;
    EXPECT_EQ(lower(c), among(large, c) ? small[large.find(c)] : c) << byte;
  }
}

TEST(Ascii, ATokenHasAtLeastOneCharacterAndNothingElse) {
  EXPECT_TRUE(is_token("Sec-WebSocket-Key"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
  EXPECT_FALSE(is_token("a:"));
  EXPECT_FALSE(is_token("\xc3\xa4"));
}

TEST(Ascii, LoweredLeavesAllElse) { EXPECT_EQ(lowered("WSS://H\xc3\x84@[z`"), "wss://h\xc3\x84@[z`"); }

TEST(Ascii, TrimmedTakesSpacesAndTabsAtTheEndsOnly) {
  EXPECT_EQ(trimmed(" \t a \t b\t "), "a \t b");
  EXPECT_EQ(trimmed("a"), "a");
  EXPECT_EQ(trimmed("\ra\n"), "\ra\n");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed(""), "");
}

}  // namespace
