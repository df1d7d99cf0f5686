// The reader and the scan on hostile texts; under the sanitizers this is where a wild read would show.
#include "json/reader.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "json/scan.hpp"

namespace {

using namespace fastws::json;

Document read(const std::string& text, Tape& tape) {
  static Reader reader;
  return reader.append(tape, text);
}

bool refused_untouched(const std::string& text) {
  Tape tape;
  const Document document = read(text, tape);
  return document.fallback && document.word_count == 0 && tape.words.empty() &&
         std::string(tape.text.data() + document.text, document.text_size) == text;
}

const std::string sample =
    R"({"type":"tick","bid":-1.5e3,"ids":[1,123456789012345678,12345678901234567890],"note":"a\u00e9\n\"b","n":null,"o":{}})";

TEST(JsonReader, WritesTheTapeOfTheExample) {
  Tape tape;
  const Document document = read(
      "{\"type\": \"tick\", \"bid\": 1.5, \"ask\": null, \"note\": \"\\u00e9t\\u00e9\", \"size\": [12, -7]}",
      tape);
  ASSERT_FALSE(document.fallback);
  ASSERT_EQ(document.word_count, 16u);
  const auto tag = [&](std::size_t index) { return word::tag(tape.words[index]); };
  EXPECT_EQ(tag(0), Tag::object);
  EXPECT_EQ(word::count(tape.words[0]), 5u);
  EXPECT_EQ(tape.words[1], 0u);
  EXPECT_EQ(tag(2), Tag::key);
  EXPECT_EQ(word::offset(tape.words[2]), 2u);
  EXPECT_EQ(tag(3), Tag::ascii);
  EXPECT_EQ(word::offset(tape.words[3]), 10u);
  EXPECT_EQ(tag(5), Tag::float64);
  EXPECT_EQ(tape.words[10], word::text(1, 3));
  EXPECT_EQ(tape.words[11], 0xe974e9u);
  EXPECT_EQ(word::count(tape.words[13]), 2u);
  EXPECT_EQ(word::integer(tape.words[14]), 12);
  EXPECT_EQ(word::integer(tape.words[15]), -7);
}

TEST(JsonReader, RefusesWhatIsNotJsonAndLeavesTheTextUntouched) {
  for (const std::string text :
       {"", " ", "[1,]", "[01]", "NaN", "[1e400]", "\"\\ud800\"", "\"\\udc00\"", "\"a", "{\"a\"}",
        "[128.74836467836484838364836483643636483648e-336]x", "\xef\xbb\xbf[]"}) {
    EXPECT_TRUE(refused_untouched(text)) << text;
  }
  EXPECT_TRUE(refused_untouched(std::string("[1]\0junk", 8)));
}

TEST(JsonReader, LimitsItsDepth) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  Tape tape;
  EXPECT_FALSE(read(nested(500), tape).fallback);
  EXPECT_TRUE(refused_untouched(nested(501)));
  EXPECT_TRUE(refused_untouched(std::string(100000, '[')));
}

TEST(JsonReader, ARefusalLeavesEarlierDocumentsAlone) {
  Tape tape;
  const Document first = read(sample, tape);
  const std::vector<std::uint64_t> words(tape.words.data(), tape.words.data() + tape.words.size());
  const Document second = read("[1,2,[", tape);
  EXPECT_FALSE(first.fallback);
  EXPECT_TRUE(second.fallback);
  EXPECT_EQ(std::vector<std::uint64_t>(tape.words.data(), tape.words.data() + tape.words.size()), words);
}

TEST(JsonReader, EveryPrefixAndManyChangesAreReadOrRefused) {
  std::mt19937 dice(7);
  std::string scratch;
  for (std::size_t size = 0; size <= sample.size(); ++size) {
    Tape tape;
    const std::string prefix = sample.substr(0, size);
    EXPECT_EQ(read(prefix, tape).fallback, size != sample.size());
    find_route(prefix, {"type"}, scratch);
  }
  for (int round = 0; round < 20000; ++round) {
    std::string changed = sample;
    for (auto count = dice() % 3 + 1; count != 0; --count) {
      changed[dice() % changed.size()] = "{}[]\",:\\u0e.-1 \x01\x7f"[dice() % 18];
    }
    Tape tape;
    const Document document = read(changed, tape);
    EXPECT_TRUE(!document.fallback || refused_untouched(changed));
    find_route(changed, {"type", "bid"}, scratch);
  }
}

/// The keys of a flat object, as the tape has them.
std::vector<std::string> keys_of(const std::string& text) {
  Tape tape;
  const Document document = read(text, tape);
  std::vector<std::string> keys;
  if (document.fallback) return keys;
  const char* bytes = tape.text.data() + document.text;
  for (std::size_t at = 2; at < document.word_count; at += 2) {  // a key of one word, a value of one word
    const std::uint64_t key = tape.words[at];
    EXPECT_EQ(word::tag(key), Tag::key) << text;
    keys.emplace_back(bytes + word::offset(key), word::key_size(key));
  }
  return keys;
}

TEST(JsonReader, AKeyThatStandsWhereAnotherIsExpectedIsReadAsWhatItIs) {
  const auto object = [](const std::string& second) {
    return "{\"first\":1,\"" + second + "\":2,\"third\":3}";
  };
  for (std::size_t size = 0; size <= 48; ++size) {
    const std::string key = std::string("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV").substr(0, size);
    using Keys = std::vector<std::string>;
    for (int meeting = 0; meeting < 4; ++meeting) {
      ASSERT_EQ(keys_of(object(key)), (Keys{"first", key, "third"}));
    }
    for (const std::string& other :
         {key + "x", key + " ", "x" + key, key.substr(0, size / 2), std::string("third")}) {
      ASSERT_EQ(keys_of(object(other)), (Keys{"first", other, "third"}));
      ASSERT_EQ(keys_of(object(key)), (Keys{"first", key, "third"}));
    }
    if (size != 0) {
      std::string changed = key;
      changed.back() = '!';
      ASSERT_EQ(keys_of(object(changed)), (Keys{"first", changed, "third"}));
    }
    ASSERT_EQ(keys_of("{\"first\":1,\"" + key + "\":2}"), (Keys{"first", key}));
    // A text that ends anywhere in what is expected, in memory that ends there, too.
    const std::string whole = object(key);
    for (std::size_t end = 0; end < whole.size(); ++end) EXPECT_TRUE(refused_untouched(whole.substr(0, end)));
    EXPECT_TRUE(refused_untouched("{\"first\":1,\"" + key + "\x01\":2}"));
    EXPECT_TRUE(refused_untouched("{\"first\":1,\"" + key + "\n\":2}"));
  }
}

TEST(JsonReader, AnExpectedKeyWithEscapesIsNotMistakenForItsOwnBytes) {
  using Keys = std::vector<std::string>;
  const auto object = [](const std::string& second) { return "{\"first\":1,\"" + second + "\":2}"; };
  const std::pair<std::string, std::string> keys[] = {
      // as written, as meant
      {R"(\\\\)", R"(\\)"},
      {R"(\\)", R"(\)"},
      {R"(a\\\\)", R"(a\\)"},
      {R"(\\n)", R"(\n)"},
      {R"(a\\\"b)", R"(a\"b)"},
      {R"(\t)", "\t"},
      {R"(longer than a word\\\\)", R"(longer than a word\\)"},
  };
  for (const auto& [written, meant] : keys) {
    for (int meeting = 0; meeting < 4; ++meeting) ASSERT_EQ(keys_of(object(written)), (Keys{"first", meant}));
    // The key's bytes as they stand: another key, or none at all.
    const Keys raw = keys_of(object(meant));
    ASSERT_TRUE(raw.empty() || raw[1] != meant) << meant;
    ASSERT_EQ(keys_of(object(written)), (Keys{"first", meant}));
  }
}

TEST(JsonReader, TakesBackTheDocumentThatCameLast) {
  Tape tape;
  (void)read(sample, tape);
  const std::size_t text = tape.text.size();
  const std::size_t words = tape.words.size();
  const Document second = read(sample, tape);
  take_back(tape, second);
  EXPECT_EQ(tape.text.size(), text);
  EXPECT_EQ(tape.words.size(), words);
}

TEST(JsonScan, FindsTheRouteOrSaysWhyNot) {
  std::string scratch;
  const auto route = [&](const std::string& text) { return find_route(text, {"type"}, scratch); };
  EXPECT_EQ(route(sample).value, "tick");
  EXPECT_EQ(route(R"({"a":{"type":"x"},"type":"y","type":"z"})").value, "z");
  EXPECT_EQ(route(R"({"t\u0079pe":"\u00e9"})").value, "\xc3\xa9");
  EXPECT_EQ(route(R"({"type":5})").kind, Route::Kind::none);
  EXPECT_EQ(route(R"({"type":"\ud800"})").kind, Route::Kind::unreadable);
  EXPECT_EQ(route("not json").kind, Route::Kind::unreadable);
}

}  // namespace
