// The look-up by route, and the key's value by a scan of the text.
#include "overflow.hpp"

#include <vector>

#include "../json/scan.hpp"

namespace fastws::client {

namespace {

/// An integer as JSON writes it; -0 is 0.
std::string_view integer(std::string_view raw) {
  if (raw == "-0") return "0";
  const std::string_view digits = raw.substr(!raw.empty() && raw[0] == '-' ? 1 : 0);
  const bool right = !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  return right ? raw : std::string_view();
}

}  // namespace

const Policy& Overflow::of(bool has_route, std::string_view route) const {
  if (!has_route) return unrouted;
  if (by_route.empty()) return others;
  const auto here = by_route.find(route);
  return here == by_route.end() ? others : here->second;
}

bool append_identity(const Policy& policy, std::string_view text, std::string& to) {
  using Kind = json::Member::Kind;
  thread_local std::vector<std::string> keys(1);
  thread_local std::vector<json::Member> members;
  thread_local std::string scratch;
  keys[0] = policy.key;
  if (const json::Route found =
          json::find_route(text, keys, scratch);  // the quicker look: most keys are strings
      found.kind == json::Route::Kind::found) {
    to += 's';
    to += found.value;
    return true;
  }
  if (!json::find_members(text, keys, members, scratch) || members[0].kind != Kind::other) return false;
  const std::string_view value = integer(members[0].raw);
  if (value.empty()) return false;
  to += 'i';
  to += value;
  return true;
}

}  // namespace fastws::client
