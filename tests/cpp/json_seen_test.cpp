// Numbers for what repeats: the same bytes, the same number; never one number for two things, whatever is thrown at it.
#include "json/seen.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "json/reader.hpp"

namespace {

using namespace fastws::json;

std::uint64_t number_of(Seen& seen, const std::string& text) {
  const std::string padded = text + std::string(32, '#');  // what stands behind a string must not matter
  return seen.string(padded.data(), text.size());
}

TEST(JsonSeen, AStringHasANumberFromItsSecondMeetingOn) {
  Seen seen;
  EXPECT_EQ(number_of(seen, "BTC-USD"), 0u);
  const std::uint64_t number = number_of(seen, "BTC-USD");
  EXPECT_NE(number, 0u);
  EXPECT_EQ(number_of(seen, "BTC-USD"), number);
  EXPECT_EQ(number_of(seen, "BTC-USD2"), 0u);
  EXPECT_EQ(number_of(seen, "BTC-US"), 0u);
}

TEST(JsonSeen, NoNumberIsGivenToTwoStrings) {
  Seen seen;
  std::mt19937 dice(3);
  std::map<std::uint64_t, std::string> given;
  for (int round = 0; round < 200000; ++round) {
    const std::string text = std::string(2 + dice() % 22, 'x') + std::to_string(dice() % 3000);
    const std::string cut =
        text.substr(text.size() > Seen::longest_string ? text.size() - Seen::longest_string : 0);
    const std::uint64_t number = number_of(seen, cut);
    if (number == 0) continue;
    const auto [here, fresh] = given.emplace(number, cut);
    ASSERT_EQ(here->second, cut);
  }
  EXPECT_GT(given.size(), 1000u);
}

/// The lists of keys of a document's objects: their number and their keys, as the tape has them.
std::vector<std::pair<std::uint64_t, std::string>> lists_of(Reader& reader, const std::string& text) {
  Tape tape;
  const Document document = reader.append(tape, text);
  EXPECT_FALSE(document.fallback) << text;
  std::vector<std::pair<std::uint64_t, std::string>> lists;
  struct Frame {
    std::size_t list, left;
    bool object;
  };
  std::vector<Frame> open;
  const std::uint64_t* at = tape.words.data();
  const std::uint64_t* end = at + document.word_count;
  while (at != end) {
    while (!open.empty() && open.back().left == 0) open.pop_back();
    if (!open.empty()) {
      --open.back().left;
      if (open.back().object) {
        EXPECT_EQ(word::tag(*at), Tag::key);
        lists[open.back().list].second +=
            std::string(tape.text.data() + word::offset(*at), word::key_size(*at)) + ",";
        ++at;
      }
    }
    const std::uint64_t value = *at++;
    switch (word::tag(value)) {
      case Tag::object:
        lists.emplace_back(*at++, "");
        open.push_back({lists.size() - 1, word::count(value), true});
        break;
      case Tag::array: open.push_back({0, word::count(value), false}); break;
      case Tag::known: ++at; break;
      default: break;
    }
  }
  return lists;
}

TEST(JsonSeen, AListOfKeysHasANumberFromItsSecondMeetingOn) {
  Reader reader;
  const std::string text = R"({"type":1,"a":{"x":1,"y":2},"b":[{"x":3,"y":4}]})";
  const auto first = lists_of(reader, text);
  EXPECT_EQ(first[0].first, 0u);
  EXPECT_EQ(first[1].first, 0u);
  EXPECT_NE(first[2].first, 0u);  // the second {x, y}
  const auto second = lists_of(reader, text);
  EXPECT_NE(second[0].first, 0u);
  EXPECT_EQ(second[1].first, first[2].first);
  EXPECT_EQ(lists_of(reader, text), lists_of(reader, text));
  EXPECT_EQ(lists_of(reader, R"({"x":1})")[0].first, 0u);
  EXPECT_EQ(lists_of(reader, R"({"x":1,"y":2,"z":3})")[0].first, 0u);
  EXPECT_EQ(lists_of(reader, R"({"y":1,"x":2})")[0].first, 0u);
  EXPECT_EQ(lists_of(reader, R"({"x":1,"y\u0000":2})")[0].first, 0u);
}

TEST(JsonSeen, KeysWithoutACharacterAreCountedAsOthersAre) {
  Reader reader;
  const std::string two = R"({"":1,"":2})";
  lists_of(reader, two);
  const auto known = lists_of(reader, two);
  EXPECT_NE(known[0].first, 0u);
  EXPECT_EQ(lists_of(reader, R"({"":1,"":2,"":3})")[0].first, 0u);
  EXPECT_EQ(lists_of(reader, R"({"":1})")[0].first, 0u);
  EXPECT_EQ(lists_of(reader, R"({"":1,"a":2})")[0].first, 0u);
  EXPECT_EQ(lists_of(reader, two), known);
}

std::string object_of(std::mt19937& dice, int depth) {
  std::string text = "{";
  const auto members = dice() % 5;
  for (std::size_t index = 0; index < members; ++index) {
    if (index != 0) text += ',';
    text += '"' + std::string(dice() % 3 == 0 ? 17 : 1, static_cast<char>('a' + dice() % 9)) +
            std::to_string(dice() % 40) + "\":";
    text += depth != 0 && dice() % 3 == 0 ? object_of(dice, depth - 1) : "[]";
  }
  return text + "}";
}

TEST(JsonSeen, NoNumberIsGivenToTwoListsWhateverIsNestedInWhat) {
  // More lists than places: they are taken over while objects around them are still being read.
  Reader reader;
  std::mt19937 dice(5);
  std::vector<std::string> texts;
  for (int count = 0; count < 600; ++count) texts.push_back(object_of(dice, 4));
  std::map<std::uint64_t, std::string> given;
  for (int round = 0; round < 20000; ++round) {
    for (const auto& [number, keys] : lists_of(reader, texts[dice() % texts.size()])) {
      if (number == 0) continue;
      const auto [here, fresh] = given.emplace(number, keys);
      ASSERT_EQ(here->second, keys);
    }
  }
  EXPECT_GT(given.size(), 500u);
}

}  // namespace
