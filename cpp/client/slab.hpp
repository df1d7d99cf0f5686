// A slab: the texts, tapes and bytes of the messages of one socket read, handed over whole and recycled.
//
// May know: json/tape. Promises: plain memory; the counters are guarded by the inbox's mutex, the buffers by the rule
// that the I/O thread writes only while `filling` and consumers read only while it is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "../json/tape.hpp"
#include "../policy/lifecycle.hpp"

namespace fastws::client {

struct Slab {
  json::Tape tape;
  std::size_t waiting = 0;  // items that still refer to it
  std::size_t pinned = 0;   // items a consumer is working on
  bool filling = false;

  [[nodiscard]] std::size_t bytes() const noexcept {
    return tape.text.size() + tape.words.size() * sizeof(std::uint64_t);
  }
};

/// A lifecycle event on its way to Python, with what only the connection knows.
struct Notice {
  enum class Kind : std::uint8_t { life, dropped };
  Kind kind = Kind::life;
  policy::Event event;
  double when = 0.0;  // monotonic seconds
  bool ready = true;  // false: `unsent_*` of a disconnect are still to be counted
  // connect, connecting
  std::string url;
  std::string subprotocol;
  Headers headers;
  // dropped
  std::string cause;
  std::string route;
  std::uint64_t count = 0;
  double first_at = 0.0;
  double last_at = 0.0;
};

/// One thing that waits for Python.
struct Item {
  enum class Kind : std::uint8_t { notice, json, text, binary };
  Kind kind = Kind::json;
  bool report = true;  // a text that json.loads refuses is told as an error by whoever builds this item
  bool judge = false;  // its route could not be read: built for the sake of the error, wanted or not
  std::uint64_t sequence = 0;
  std::uint64_t life = 0;
  std::shared_ptr<Notice> notice;  // notice
  Slab* slab = nullptr;            // messages
  json::Document document;
  std::size_t route = 0;  // where the route's bytes begin in the slab's text
  std::size_t route_size = no_route;
  std::size_t cost = 0;  // bytes accounted for it

  static constexpr std::size_t no_route = static_cast<std::size_t>(-1);
  [[nodiscard]] bool has_route() const noexcept { return route_size != no_route; }
  [[nodiscard]] std::string_view route_text() const noexcept {
    return has_route() ? std::string_view(slab->tape.text.data() + route, route_size) : std::string_view();
  }
};

}  // namespace fastws::client
