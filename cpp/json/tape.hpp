// The tape: many JSON documents of one socket read in two flat buffers, ready to become objects.
//
// May know: nothing of this project. Promises: plain memory; offsets, not pointers, so buffers may grow; reusable.
//
// A document is a run of 8-byte words over its text, which the reader has unescaped in place. Every word's lowest byte is
// its tag; offsets count from the beginning of the document's text. The text
//
//     {"type": "tick", "bid": 1.5, "ask": null, "note": "\u00e9t\u00e9", "size": [12, -7]}
//
// becomes
//
//     index  tag       above the tag                          next word
//     0      object    5 members
//     1      key       hash 16 bits, 4 bytes at offset 2      (keys of at most 64 ASCII bytes)
//     2      ascii     4 bytes at offset 10
//     3      key       3 bytes at offset 18
//     4      float64                                          5: the bits of 1.5
//     6      key       3 bytes at offset 30
//     7      null
//     8      key       4 bytes at offset 43
//     9      text      widest character 0xe9, offset 51       10: 5 bytes, 3 characters
//     11     key       4 bytes at offset 70
//     12     array     2 elements
//     13     integer   12 (56 bits, signed)
//     14     integer   -7
//
// An integer of up to 18 digits that 56 bits do not hold is `int64`, with the next word its value; one of more digits is
// `digits`, its text as it stood. A string or key whose length does not fit its word is `text`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fastws::json {

enum class Tag : std::uint8_t {
  null,
  yes,
  no,
  integer,
  int64,
  float64,
  digits,
  ascii,
  text,
  key,
  array,
  object
};

/// The fields of a word, named once for the writer and the reader of the tape.
namespace word {

constexpr std::uint64_t make(Tag tag, std::uint64_t above = 0) noexcept {
  return static_cast<std::uint64_t>(tag) | above << 8;
}
constexpr Tag tag(std::uint64_t word) noexcept { return static_cast<Tag>(word & 0xff); }
constexpr std::uint64_t count(std::uint64_t word) noexcept { return word >> 8; }  // array, object
constexpr std::int64_t most_integer = (std::int64_t{1} << 55) - 1;
constexpr std::int64_t integer(std::uint64_t word) noexcept { return static_cast<std::int64_t>(word) >> 8; }

// ascii, digits: 24 bits of length, 32 bits of offset.
constexpr std::uint64_t most_ascii = (std::uint64_t{1} << 24) - 1;
constexpr std::uint64_t span(Tag tag, std::uint64_t size, std::uint64_t offset) noexcept {
  return static_cast<std::uint64_t>(tag) | size << 8 | offset << 32;
}
constexpr std::size_t span_size(std::uint64_t word) noexcept { return word >> 8 & most_ascii; }
constexpr std::size_t offset(std::uint64_t word) noexcept { return word >> 32; }

// text: the class of its widest character (1: ASCII, 2: to 0xff, 3: to 0xffff, 4: above), the offset; next: two sizes.
constexpr std::uint64_t text(unsigned widest, std::uint64_t offset) noexcept {
  return span(Tag::text, widest, offset);
}
constexpr unsigned widest(std::uint64_t word) noexcept { return static_cast<unsigned>(word >> 8 & 0xff); }
constexpr std::uint64_t sizes(std::uint64_t bytes, std::uint64_t characters) noexcept {
  return bytes | characters << 32;
}

// key: 8 bits of length, 16 bits of hash, 32 bits of offset.
constexpr std::size_t most_key = 64;
constexpr std::uint64_t key(std::uint64_t size, std::uint16_t hash, std::uint64_t offset) noexcept {
  return static_cast<std::uint64_t>(Tag::key) | size << 8 | static_cast<std::uint64_t>(hash) << 16 |
         offset << 32;
}
constexpr std::size_t key_size(std::uint64_t word) noexcept { return word >> 8 & 0xff; }
constexpr std::uint16_t key_hash(std::uint64_t word) noexcept {
  return static_cast<std::uint16_t>(word >> 16);
}

}  // namespace word

/// One document of a tape.
struct Document {
  std::size_t text = 0;       // where its text begins in Tape::text
  std::size_t text_size = 0;  // bytes of text, without the zero bytes behind it
  std::size_t words = 0;      // where its words begin in Tape::words
  std::size_t word_count = 0;
  /// The fast path refused it: its text is untouched and goes to json.loads, which decides.
  bool fallback = false;
};

struct Tape {
  std::vector<char> text;
  std::vector<std::uint64_t> words;

  void clear() noexcept {
    text.clear();
    words.clear();
  }
};

}  // namespace fastws::json
