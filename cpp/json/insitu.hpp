// What RapidJSON reads from and unescapes into: a text in place, plain characters a block at a time.
//
// May know: block; RapidJSON. Included by reader.cpp alone. Promises: reads at most 16 bytes past the text's end, which must
// be zeros; writes nothing behind what it has read.
//
// RapidJSON hands characters over one by one. Strings without escapes, nearly all there are, never come that far: reader.cpp
// takes them whole. Of the others, the encoding here hands over all up to the next quote, backslash or control character.
#pragma once

#include <rapidjson/reader.h>

#include <cstddef>
#include <cstring>

#include "block.hpp"

namespace fastws::json {

/// What was in a string.
struct StringMarks {
  Mask run = 0;          // not 0: a character that is not ASCII stood there as it is
  bool escaped = false;  // an escape stood for one
  [[nodiscard]] bool ascii() const noexcept { return run == 0 && !escaped; }
};

/// The next quote, backslash or control character; `run` gains what is not ASCII before it.
inline const char* end_of_plain(const char* at, Mask& run) noexcept {
  for (;; at += Block::size) {
    const Block block(at);
    const Mask stops = block.equal('"') | block.equal('\\') | block.control();
    if (stops != 0) {
      run |= block.non_ascii() & (stops - 1) & ~stops;  // below the lowest stop
      return at + first_of(stops);
    }
    run |= block.non_ascii();
  }
}

/// RapidJSON's concept of a stream, as far as structure needs it.
struct InsituText {
  using Ch = char;

  InsituText(char* text, std::size_t size) noexcept : at(text), head(text), end(text + size) {}

  Ch Peek() const noexcept { return *at; }
  Ch Take() noexcept { return *at++; }
  std::size_t Tell() const noexcept { return static_cast<std::size_t>(at - head); }

  char* at;
  char* head;
  const char* end;
};

/// The whole of the concept, for a string with escapes.
struct EscapedText : InsituText {
  EscapedText(const InsituText& text, StringMarks& string_marks) noexcept
      : InsituText(text), marks(&string_marks) {}

  Ch* PutBegin() noexcept {
    *marks = {};
    return to = at;
  }
  void Put(Ch c) noexcept {
    if (static_cast<unsigned char>(c) >= 0x80) marks->escaped = true;
    *to++ = c;
  }
  std::size_t PutEnd(const Ch* begin) const noexcept { return static_cast<std::size_t>(to - begin); }
  Ch* Push(std::size_t count) noexcept {
    Ch* begin = to;
    to += count;
    return begin;
  }
  void Pop(std::size_t count) noexcept { to -= count; }
  void Flush() noexcept {}

  void take_plain() noexcept {
    const auto count = static_cast<std::size_t>(end_of_plain(at, marks->run) - at);
    if (to != at) std::memmove(to, at, count);
    to += count;
    at += count;
  }

  char* to = nullptr;
  StringMarks* marks;
};

struct PlainRuns : rapidjson::UTF8<char> {};

}  // namespace fastws::json

namespace rapidjson {

template <>
struct StreamTraits<fastws::json::EscapedText> {
  enum { copyOptimization = 1 };  // cheap to copy: RapidJSON works on a local one
};

template <>
struct Transcoder<fastws::json::PlainRuns, fastws::json::PlainRuns> {
  static bool Transcode(fastws::json::EscapedText& from, fastws::json::EscapedText&) {  // the same stream
    from.take_plain();
    return true;
  }
  template <class From, class To>
  static bool Transcode(From& from, To& to) {
    to.Put(from.Take());
    return true;
  }
  template <class From, class To>
  static bool Validate(From& from, To& to) {
    return Transcode(from, to);
  }
};

template <>
inline void SkipWhitespace(fastws::json::InsituText& text) {
  // Most texts that machines send hold none: asked for once instead of four times.
  while (static_cast<unsigned char>(*text.at) <= ' ' &&
         (*text.at == ' ' || *text.at == '\n' || *text.at == '\r' || *text.at == '\t'))
    ++text.at;
}

}  // namespace rapidjson
