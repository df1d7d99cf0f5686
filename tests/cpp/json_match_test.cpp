// Which texts match top-level keys and values: as comparing json.loads' values would say, without parsing.
#include "json/match.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

using fastws::json::Match;
using Wanted = std::vector<std::pair<std::string, std::string>>;

bool matches(const Wanted& wanted, const std::string& text) { return Match(wanted).matches(text); }

TEST(JsonMatch, ComparesStringsAtTheTopAlone) {
  const Wanted ping = {{"type", "\"ping\""}};
  EXPECT_TRUE(matches(ping, R"({"type":"ping"})"));
  EXPECT_TRUE(matches(ping, R"( { "id" : 1 , "type" : "ping" } )"));
  EXPECT_TRUE(matches(ping, R"({"type":"pi\u006eg"})"));
  EXPECT_TRUE(matches(ping, R"({"ty\u0070e":"ping"})"));
  EXPECT_TRUE(matches(ping, R"({"type":"pong","type":"ping"})"));
  EXPECT_FALSE(matches(ping, R"({"type":"ping","type":"pong"})"));
  EXPECT_FALSE(matches(ping, R"({"type":"pings"})"));
  EXPECT_FALSE(matches(ping, R"({"data":{"type":"ping"}})"));
  EXPECT_FALSE(matches(ping, R"([{"type":"ping"}])"));
  EXPECT_FALSE(matches(ping, R"({"ping":"type"})"));
  EXPECT_FALSE(matches(ping, R"({"type":["ping"]})"));
  EXPECT_FALSE(matches(ping, "\"ping\""));
  EXPECT_FALSE(matches(ping, ""));
}

TEST(JsonMatch, EveryKeyMustHoldItsValue) {
  const Wanted both = {{"op", "1"}, {"type", "\"ping\""}};
  EXPECT_TRUE(matches(both, R"({"type":"ping","op":1})"));
  EXPECT_FALSE(matches(both, R"({"type":"ping","op":2})"));
  EXPECT_FALSE(matches(both, R"({"type":"ping"})"));
}

TEST(JsonMatch, ValuesThatNeedEscapesMatchHoweverTheyAreWritten) {
  const Wanted hard = {{"k\"\xc3\xa9y", R"("a\"b\\c\u00e9\ud83c\udf88")"}};
  EXPECT_TRUE(matches(hard, R"({"k\"\u00e9y":"a\"b\\c\u00e9\ud83c\udf88"})"));
  EXPECT_TRUE(matches(hard, "{\"k\\\"\xc3\xa9y\":\"a\\\"b\\\\c\xc3\xa9\xf0\x9f\x8e\x88\"}"));
  EXPECT_FALSE(matches(hard, R"({"k\"\u00e9y":"a\"b\\c\u00e9\ud83c"})"));
}

TEST(JsonMatch, ComparesNumbersByValue) {
  for (const char* one : {"1", "1.0", "10e-1", "1e0"}) {
    for (const char* other : {"1", "1.0", "1E+0", "100e-2"}) {
      EXPECT_TRUE(matches({{"n", one}}, std::string("{\"n\":") + other + "}")) << one << " " << other;
    }
    for (const char* other :
         {"true", "\"1\"", "2", "1.5", "-1", "[1]", "{}", "null", "01", "1.", "+1", "1x"}) {
      EXPECT_FALSE(matches({{"n", one}}, std::string("{\"n\":") + other + "}")) << one << " " << other;
    }
  }
  EXPECT_TRUE(matches({{"n", "1.5"}}, R"({"n":15e-1})"));
  EXPECT_TRUE(matches({{"n", "0"}}, R"({"n":-0})"));
  EXPECT_TRUE(matches({{"n", "-0.0"}}, R"({"n":0})"));
}

TEST(JsonMatch, IntegersThatADoubleDoesNotHoldAreComparedExactly) {
  const std::string big = "9007199254740993";  // 2**53 + 1
  EXPECT_TRUE(matches({{"n", big}}, "{\"n\":" + big + "}"));
  EXPECT_FALSE(matches({{"n", big}}, R"({"n":9007199254740992})"));
  EXPECT_FALSE(matches({{"n", big}}, R"({"n":9007199254740992.0})"));
  const std::string huge(40, '7');
  EXPECT_TRUE(matches({{"n", huge}}, "{\"n\":" + huge + "}"));
  EXPECT_FALSE(matches({{"n", huge}}, "{\"n\":" + huge + "0}"));
  EXPECT_FALSE(matches({{"n", "9223372036854775807"}}, R"({"n":9223372036854775808.0})"));
  EXPECT_FALSE(matches({{"n", "1"}}, R"({"n":1e999})"));
}

TEST(JsonMatch, ComparesLiterals) {
  for (const std::string one : {"true", "false", "null"}) {
    for (const std::string other : {"true", "false", "null", "0", "\"true\""}) {
      EXPECT_EQ(matches({{"k", one}}, "{\"k\": " + other + " }"), one == other) << one << " " << other;
    }
  }
}

TEST(JsonMatch, BrokenTextsMatchNothing) {
  for (const char* text :
       {R"({"type":"ping")", R"({"type":"ping"}x)", R"({"type":"ping",})", R"({"type":"pi\qng"})",
        R"("type":"ping")", "{\"type\":\"ping\\", "{\"type\" \"ping\"}"}) {
    EXPECT_FALSE(matches({{"type", "\"ping\""}}, text)) << text;
  }
}

TEST(JsonMatch, RefusesWhatIsNoScalar) {
  EXPECT_THROW(Match(Wanted{}), std::invalid_argument);
  for (const char* value : {"[1]", "{}", "", "nul", "01", "\"a", "\"a\",\"value\":1", "NaN"}) {
    EXPECT_THROW(matches({{"k", value}}, ""), std::invalid_argument) << value;
  }
}

}  // namespace
