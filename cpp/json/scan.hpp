// The route of a text without parsing the whole of it into anything: the string value of a top-level key. And what else
// stands under its top-level keys.
//
// May know: nothing of this project. Promises: for every text that json.loads accepts, exactly what
// json.loads(text).get(key) would say; for other texts it may say anything, but never reads outside them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fastws::json {

struct Route {
  enum class Kind : unsigned char {
    none,        // no such key, its value is no string, or the text is no object
    found,       // `value`
    unreadable,  // the text is surely not JSON, or its route cannot be told without json.loads
  };
  Kind kind = Kind::none;
  std::string_view value;  // points into the text, or into `scratch` when it held escapes; valid UTF-8
};

/// `keys`: the first of them that is present decides (even when its value is no string). The last duplicate wins.
Route find_route(std::string_view text, const std::vector<std::string>& keys, std::string& scratch);

/// What the first members tell, of a text of which only the beginning is looked at: the value of the first of `keys` that is
/// met there. The whole text may say otherwise, by a duplicate or a key that goes before.
Route guess_route(std::string_view beginning, const std::vector<std::string>& keys, std::string& scratch);

/// A member of the outermost object, as it stands in the text.
struct Member {
  enum class Kind : unsigned char { absent, string, other };
  Kind kind = Kind::absent;
  std::string_view raw;  // a string without its quotes
  bool escaped = false;  // a string that holds escapes
};

/// What stands under each of the keys; the last duplicate wins. False = the text is no object, or surely not JSON.
bool find_members(std::string_view text, const std::vector<std::string>& keys, std::vector<Member>& members,
                  std::string& scratch);

/// What a string means: points into the text, or into `scratch`. nullopt = no JSON string, or not to be had as UTF-8.
std::optional<std::string_view> string_of(const Member& member, std::string& scratch);

}  // namespace fastws::json
