// What RapidJSON reads from and unescapes into: a text in place, plain characters a block at a time.
//
// May know: block; RapidJSON. Included by reader.cpp alone. Promises: reads at most 16 bytes past the text's end, which must
// be zeros; writes nothing behind what it has read.
//
// RapidJSON offers two places to say what a character is: the stream and the encoding. Its own UTF8<> hands characters
// over one by one; the encoding here hands over all up to the next quote, backslash or control character.
#pragma once

#include <rapidjson/reader.h>

#include <cstddef>
#include <cstring>

#include "block.hpp"

namespace fastws::json {

/// What was in the string that was read last.
struct StringMarks {
  Mask run = 0;          // not 0: a character that is not ASCII stood there as it is
  bool escaped = false;  // an escape stood for one
  [[nodiscard]] bool ascii() const noexcept { return run == 0 && !escaped; }
};

/// RapidJSON's concept of a stream (its InsituStringStream, and the marks).
struct InsituText {
  using Ch = char;

  InsituText(char* text, StringMarks& string_marks) noexcept : at(text), head(text), marks(&string_marks) {}

  Ch Peek() const noexcept { return *at; }
  Ch Take() noexcept { return *at++; }
  std::size_t Tell() const noexcept { return static_cast<std::size_t>(at - head); }

  Ch* PutBegin() noexcept {
    *marks = {};
    return to = at;
  }
  void Put(Ch c) noexcept {
    if (static_cast<unsigned char>(c) >= 0x80) marks->escaped = true;
    // RapidJSON ends a string with a zero, in the closing quote's place, which nobody here reads. Left out where it can be: a
    // load of several bytes that meets one just written waits for it, and the words of the string are loaded next.
    if (c != '\0' || to + 1 != at) *to = c;
    ++to;
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
    const char* end = at;
    for (;; end += Block::size) {
      const Block block(end);
      const Mask stops = block.equal('"') | block.equal('\\') | block.control();
      if (stops != 0) {
        const unsigned count = first_of(stops);
        marks->run |= block.non_ascii() & ((Mask{1} << count) - 1);
        end += count;
        break;
      }
      marks->run |= block.non_ascii();
    }
    const auto count = static_cast<std::size_t>(end - at);
    if (to != at) std::memmove(to, at, count);
    to += count;
    at += count;
  }

  char* at;
  char* to = nullptr;
  char* head;
  StringMarks* marks;
};

struct PlainRuns : rapidjson::UTF8<char> {};

}  // namespace fastws::json

namespace rapidjson {

template <>
struct StreamTraits<fastws::json::InsituText> {
  enum { copyOptimization = 1 };  // cheap to copy: RapidJSON works on a local one
};

template <>
struct Transcoder<fastws::json::PlainRuns, fastws::json::PlainRuns> {
  static bool Transcode(fastws::json::InsituText& from, fastws::json::InsituText&) {  // the same stream
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
  while (*text.at == ' ' || *text.at == '\n' || *text.at == '\r' || *text.at == '\t') ++text.at;
}

}  // namespace rapidjson
