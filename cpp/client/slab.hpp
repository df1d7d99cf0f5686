// A slab: the texts, tapes and bytes of the messages of one socket read, handed over whole and recycled.
//
// May know: json/tape, overflow policies. Promises: plain memory; the counters are guarded by the inbox's mutex, the buffers by the rule
// that the I/O thread writes only while `filling` and consumers read only while it is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "../json/tape.hpp"
#include "../policy/burst.hpp"
#include "../policy/lifecycle.hpp"
#include "overflow.hpp"

namespace fastws::client {

struct Slab {
  static constexpr std::size_t full = std::size_t{256}
                                      << 10;  // bytes from which on it takes no further reads

  json::Tape tape;
  std::size_t waiting = 0;  // items that still refer to it
  std::size_t pinned = 0;   // items a consumer is working on
  std::size_t counted = 0;  // its part of what all slabs hold
  std::size_t alive = 0;    // bytes of its waiting items, while the inbox looks for what it can give back
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
  policy::Dropped dropped;
};

/// One thing that waits for Python: 72 bytes, for many may wait. A message's bytes are in its slab: its text, and behind
/// that its route and its identity.
struct Item {
  enum class Kind : std::uint8_t { notice, json, text, binary };
  enum class Mark : std::uint8_t {
    plain,
    judge,     // its route could not be read: built for the sake of the error, wanted or not
    bad,       // taken, and no JSON: that is what it was counted as
    unwanted,  // taken, when its handlers had gone
  };
  static constexpr std::uint32_t no_route = static_cast<std::uint32_t>(-1);

  Kind kind = Kind::json;
  Policy::Kind policy = Policy::Kind::pause;
  bool handled = false;  // a reader's copy of what handlers are given; its error is theirs, too
  Mark mark = Mark::plain;
  std::uint32_t life = 0;
  std::uint32_t text = 0, text_size = 0, words = 0, word_count = 0;  // see json::Document
  std::uint32_t route_size = no_route;
  std::uint32_t identity_size = 0;  // Latest: what tells it from others of its route
  std::uint64_t sequence = 0;
  double arrived = 0.0;            // when its socket read was done, monotonic seconds
  std::shared_ptr<Notice> notice;  // notice
  Slab* slab = nullptr;            // messages

  [[nodiscard]] bool gone() const noexcept { return slab == nullptr && notice == nullptr; }
  [[nodiscard]] bool has_route() const noexcept { return route_size != no_route; }
  [[nodiscard]] std::string_view route_text() const noexcept {
    return has_route() ? behind_text(0, route_size) : std::string_view();
  }
  [[nodiscard]] std::string_view identity_text() const noexcept {
    return behind_text(has_route() ? route_size : 0, identity_size);
  }

  void set_document(const json::Document& document) noexcept {
    text = static_cast<std::uint32_t>(document.text);
    text_size = static_cast<std::uint32_t>(document.text_size);
    words = static_cast<std::uint32_t>(document.words);
    word_count = static_cast<std::uint32_t>(document.word_count);
  }
  [[nodiscard]] json::Document document() const noexcept {
    return {text, text_size, words, word_count, word_count == 0};
  }

  /// Bytes of its slab that are its own, and with them what it takes in all.
  [[nodiscard]] std::size_t size() const noexcept {
    const std::size_t route = has_route() ? route_size : 0;
    return text_size + json::end_bytes + route + identity_size + word_count * sizeof(std::uint64_t);
  }
  [[nodiscard]] std::size_t cost() const noexcept { return size() + sizeof(Item); }

 private:
  [[nodiscard]] std::string_view behind_text(std::size_t from, std::size_t size) const noexcept {
    return {slab->tape.text.data() + text + text_size + json::end_bytes + from, size};
  }
};
static_assert(sizeof(Item) <= 72);

}  // namespace fastws::client
