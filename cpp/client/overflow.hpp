// What a full inbox does, by route (api section 4, "Overflow"), and what Latest conflates by.
//
// May know: json/scan. Promises: plain data, never changed afterwards; a look-up allocates nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace fastws::client {

struct Policy {
  enum class Kind : std::uint8_t { pause, drop_oldest, drop_newest, latest };
  Kind kind = Kind::pause;
  std::string key;  // latest: the top-level key whose value tells messages of a route apart
};

/// A drop policy's message may be lost while it waits.
constexpr bool droppable(Policy::Kind kind) noexcept {
  return kind == Policy::Kind::drop_oldest || kind == Policy::Kind::drop_newest;
}

struct Overflow {
  std::map<std::string, Policy, std::less<>> by_route;
  Policy others;    // routes that have no line of their own
  Policy unrouted;  // text messages without a route
  Policy binary;

  [[nodiscard]] const Policy& of(bool has_route, std::string_view route) const;
};

/// Appends what tells the messages of one route apart: the kind and the value of the key, a string or an integer, in a
/// form that no two values share. False, and nothing appended: the message has no such key.
bool append_identity(const Policy& policy, std::string_view text, std::string& to);

}  // namespace fastws::client
