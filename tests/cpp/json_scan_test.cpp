// The quick look for a route against the whole scan, with what matters at every place of a block.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../../cpp/json/scan.hpp"

namespace fastws::json {
namespace {

using Kind = Route::Kind;

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

/// What is found when the whole text is scanned, as for more than one key.
Route scanned(const std::string& text, const std::string& key, std::string& scratch) {
  return find_route(text, {key, "no other key"}, scratch);
}

struct Case {
  const char* text;  // KEY and PAD stand for others
  Kind kind;
  const char* value;
};

const std::vector<Case> cases = {
    {R"({"pad":"PAD","KEY":"a"})", Kind::found, "a"},
    {R"({"KEY":"a","pad":"PAD"})", Kind::found, "a"},
    {R"(  { "pad" : "PAD" , "KEY" : "a" }  )", Kind::found, "a"},
    {R"({"KEY":"PAD"})", Kind::found, "PAD"},
    {R"({"pad":"PAD","KEY":""})", Kind::found, ""},
    {R"({"KEY":"a","pad":"PAD","KEY":"b"})", Kind::found, "b"},
    {R"({"KEY":"a","pad":"PAD","\u00KEX":"b"})", Kind::found, "b"},
    {R"({"KEY":"a\"","pad":"PAD"})", Kind::found, "a\""},
    {R"({"KEY":"a","pad":"PAD\\"})", Kind::found, "a"},
    {R"({"pad":"PAD","other":"\"KEY\":1,","KEY":"a"})", Kind::found, "a"},
    {R"({"pad":"PAD","myKEY":"a"})", Kind::none, ""},
    {R"({"pad":"PAD","KEYs":"a"})", Kind::none, ""},
    {R"({"pad":"PAD","other":"KEY"})", Kind::none, ""},
    {R"({"pad":"PAD","other":"KEY","KEY":"a"})", Kind::found, "a"},
    {R"({"pad":"PAD","other":{"KEY":"a"}})", Kind::none, ""},
    {R"({"KEY":"a","pad":"PAD","other":{"KEY":"b"}})", Kind::found, "a"},
    {R"({"pad":"PAD","KEY":5})", Kind::none, ""},
    {R"({"pad":"PAD"})", Kind::none, ""},
    {"{\"KEY\":\"PAD\x01\"}", Kind::unreadable, ""},
    {"{\"KEY\":\"\x01PAD\"}", Kind::unreadable, ""},
    {R"({"KEY":"PAD})", Kind::unreadable, ""},
    {R"({"KEY":"a}   )", Kind::unreadable, ""},
};

TEST(JsonScan, FindsWhatTheWholeScanFindsWhereverItStands) {
  std::string scratch;
  std::string other_scratch;
  for (const std::string key : {"type", "e", "op", "event", "a.key-of_more.than.sixteen$bytes"}) {
    // Behind "\\u00": the key with its first character escaped.
    static constexpr char digits[] = "0123456789abcdef";
    const auto first = static_cast<unsigned char>(key[0]);
    const std::string escaped = std::string{digits[first >> 4U], digits[first & 15U]} + key.substr(1);
    for (const Case& one : cases) {
      for (std::size_t size = 0; size < 140; ++size) {
        const std::string pad(size, 'x');
        std::string text = replaced(one.text, "KEX", escaped);
        text = replaced(replaced(text, "KEY", key), "PAD", pad);
        const Route quick = find_route(text, {key}, scratch);
        ASSERT_EQ(quick.kind, one.kind) << text;
        ASSERT_EQ(quick.value, replaced(one.value, "PAD", pad)) << text;
        const Route whole = scanned(text, key, other_scratch);
        ASSERT_EQ(whole.kind, quick.kind) << text;
        ASSERT_EQ(whole.value, quick.value) << text;
      }
    }
  }
}

}  // namespace
}  // namespace fastws::json
