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
//     index  tag       above the tag                          next words
//     0      object    5 members                              1: the number of its list of keys, 0 = none yet
//     2      key       hash 16 bits, 4 bytes at offset 2      (keys of at most 64 ASCII bytes)
//     3      ascii     4 bytes at offset 10
//     4      key       3 bytes at offset 18
//     5      float64                                          6: the bits of 1.5
//     7      key       3 bytes at offset 30
//     8      null
//     9      key       4 bytes at offset 43
//     10     text      1 byte a character, 3 characters       11: e9 74 e9, padded with zeros to whole words
//     12     key       4 bytes at offset 70
//     13     array     2 elements
//     14     integer   12 (56 bits, signed)
//     15     integer   -7
//
// What repeats has a number, so that who builds objects can keep what it made (seen.hpp): a list of keys and a short string,
// each met before. Such a string is `known`: an ascii word, and its number in the next one. An integer that 56 bits do
// not hold is `int64`, with the next word its value; one that 64 bits do not hold is `digits`, its text as it stood. A
// string or key that is not ASCII, or whose length does not fit its word, is `text`: its characters, ready to be copied.
#pragma once

#include <cstddef>
#include <cstdint>

#include "buffer.hpp"

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
  known,
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

// ascii, known, digits: 24 bits of length, 32 bits of offset.
constexpr std::uint64_t most_ascii = (std::uint64_t{1} << 24) - 1;
constexpr std::uint64_t span(Tag tag, std::uint64_t size, std::uint64_t offset) noexcept {
  return static_cast<std::uint64_t>(tag) | size << 8 | offset << 32;
}
constexpr std::size_t span_size(std::uint64_t word) noexcept { return word >> 8 & most_ascii; }
constexpr std::size_t offset(std::uint64_t word) noexcept { return word >> 32; }

// text: 8 bits of bytes a character (1, 2, 4), 48 bits of characters.
constexpr std::uint64_t text(unsigned unit, std::uint64_t characters) noexcept {
  return static_cast<std::uint64_t>(Tag::text) | std::uint64_t{unit} << 8 | characters << 16;
}
constexpr unsigned unit(std::uint64_t word) noexcept { return static_cast<unsigned>(word >> 8 & 0xff); }
constexpr std::size_t characters(std::uint64_t word) noexcept { return word >> 16; }
constexpr std::size_t words_of(std::size_t bytes) noexcept { return (bytes + 7) / 8; }

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

/// Objects and arrays within one another. RapidJSON recurses: 176 bytes of stack a level at the most.
constexpr std::size_t most_depth = 500;

/// Behind every text of a tape: a zero byte that is its own, and so much room that wide loads may read.
constexpr std::size_t end_bytes = 1;
constexpr std::size_t zero_bytes = 32;

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
  Buffer<char> text;
  Buffer<std::uint64_t> words;

  void clear() noexcept {
    text.clear();
    words.clear();
  }
};

/// Takes the document that was appended last away again.
inline void take_back(Tape& tape, const Document& document) noexcept {
  tape.text.set_size(document.text);
  tape.words.set_size(document.words);
}

/// Appends a document of another tape.
inline Document append_copy(Tape& to, const Tape& from, Document document) {
  const std::size_t text = to.text.size();
  const std::size_t words = to.words.size();
  (void)to.text.room(document.text_size + zero_bytes);
  to.text.append(from.text.data() + document.text, document.text_size + end_bytes);
  to.words.append(from.words.data() + document.words, document.word_count);
  document.text = text;
  document.words = words;
  return document;
}

}  // namespace fastws::json
