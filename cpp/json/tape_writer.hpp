// The SAX handler that writes the tape.
//
// May know: the tape, seen, number, unicode; what is in a string (insitu.hpp). Included by reader.cpp alone. Promises: nothing
// of a document is part of the tape before keep().
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "insitu.hpp"
#include "number.hpp"
#include "seen.hpp"
#include "tape.hpp"
#include "unicode.hpp"

namespace fastws::json {

/// An object or array that is not closed yet.
struct OpenContainer {
  std::size_t word;  // its place in the tape
  Seen::Keys keys;
};

/// What a reader keeps from text to text.
struct ReaderMemory {
  Seen seen;
  std::vector<OpenContainer> open;
  // Of the outermost object, as far as RoutedBy asks for it: places in the document's words of keys that may be meant, and
  // whether there was a key that can not be compared as it stands.
  std::vector<std::size_t> members;
  bool odd_member = false;
};

/// Which members of the outermost object are noted: those whose keys are as long as one of these.
class RoutedBy {
 public:
  RoutedBy() = default;
  explicit RoutedBy(const std::vector<std::string>& keys) noexcept {
    for (const std::string& key : keys) sizes_ |= bit(key.size());
  }
  [[nodiscard]] bool may_be(std::size_t size) const noexcept { return (sizes_ & bit(size)) != 0; }

 private:
  static std::uint64_t bit(std::size_t size) noexcept { return std::uint64_t{1} << (size < 63 ? size : 63); }

  std::uint64_t sizes_ = 0;
};

class TapeWriter {
 public:
  TapeWriter(Tape& tape, std::size_t text, ReaderMemory& memory, RoutedBy routed_by)
      : words_(tape.words), base_(tape.text.data() + text), memory_(memory), routed_by_(routed_by) {
    begin_ = words_.size();
    constexpr std::size_t most_kept = 16384;  // a hostile text's needs are not held for ever
    if (memory_.members.capacity() > most_kept) std::vector<std::size_t>().swap(memory_.members);
    if (memory_.open.capacity() > most_kept) std::vector<OpenContainer>().swap(memory_.open);
    memory_.members.clear();
    memory_.odd_member = false;
    memory_.open.clear();
    memory_.seen.clear();
    more_room();
  }
  /// What was written becomes part of the tape.
  void keep() noexcept { words_.set_size(begin_ + written()); }

  // What RapidJSON calls. False = the text is refused.

  bool Null() { return put(word::make(Tag::null)); }
  bool Bool(bool value) { return put(word::make(value ? Tag::yes : Tag::no)); }
  bool StartObject() { return open() && put(0, 0); }
  bool EndObject(rapidjson::SizeType members) {
    OpenContainer& object = memory_.open.back();
    std::uint64_t* word = start_ + (object.word - begin_);
    word[0] = word::make(Tag::object, members);
    word[1] = object.keys.number(memory_.seen);
    memory_.open.pop_back();
    return true;
  }
  bool StartArray() { return open() && put(0); }
  bool EndArray(rapidjson::SizeType elements) {
    start_[memory_.open.back().word - begin_] = word::make(Tag::array, elements);
    memory_.open.pop_back();
    return true;
  }
  // Strings that held escapes; what was in them stands in escaped_marks().
  bool String(const char* text, rapidjson::SizeType size, bool) { return string(text, size, marks_); }
  bool Key(const char* text, rapidjson::SizeType size, bool) { return key(text, size, marks_); }
  StringMarks& escaped_marks() noexcept { return marks_; }

  // What reader.cpp reads for RapidJSON.

  bool string(const char* text, std::size_t size, const StringMarks& marks) {
    if (!marks.ascii() || size > word::most_ascii) return wide(text, size, marks.escaped);
    if (size > 1 && size <= Seen::longest_string) {
      const std::uint64_t number = memory_.seen.string(text, size);
      if (number != 0) return put(word::span(Tag::known, size, offset(text)), number);
    }
    return put(word::span(Tag::ascii, size, offset(text)));
  }
  bool key(const char* text, std::size_t size, const StringMarks& marks) {
    Seen::Keys& keys = memory_.open.back().keys;
    note_member(size);
    if (!marks.ascii() || size > word::most_key) {
      if (memory_.open.size() == 1) memory_.odd_member = true;
      keys.spoil();
      return wide(text, size, marks.escaped);
    }
    return put(word::key(size, keys.add(memory_.seen, text, size), offset(text)));
  }
  /// A key that stands where an earlier object had it, and the quote behind it: what follows these. nullptr = another key.
  const char* expected_key(const char* text) {
    const auto met = memory_.open.back().keys.expected(text);
    if (!met) return nullptr;
    note_member(met->size);
    put(word::key(met->size, met->hash, offset(text)));
    return text + met->size + 1;
  }
  bool number(const char* text, std::size_t size, const Number& number) {
    switch (number.kind) {
      case Number::Kind::integer:
        if (number.integer >= -word::most_integer && number.integer <= word::most_integer) {
          return put(word::make(Tag::integer, static_cast<std::uint64_t>(number.integer)));
        }
        return put(word::make(Tag::int64), static_cast<std::uint64_t>(number.integer));
      case Number::Kind::digits: return put(word::span(Tag::digits, size, offset(text)));
      case Number::Kind::float64: {
        std::uint64_t bits = 0;
        std::memcpy(&bits, &number.float64, sizeof bits);
        return put(word::make(Tag::float64), bits);
      }
      case Number::Kind::refused: break;
    }
    return false;
  }

 private:
  static constexpr std::size_t some_words = 64;

  bool put(std::uint64_t value) {
    if (at_ == limit_) more_room();
    *at_++ = value;
    return true;
  }
  bool put(std::uint64_t value, std::uint64_t next) {
    if (limit_ - at_ < 2) more_room();
    at_[0] = value;
    at_[1] = next;
    at_ += 2;
    return true;
  }
  void more_room(std::size_t words = some_words) {
    at_ = words_.room(words, written());
    start_ = words_.data() + begin_;
    limit_ = words_.data() + words_.capacity();
  }
  [[nodiscard]] std::size_t written() const noexcept { return static_cast<std::size_t>(at_ - start_); }
  [[nodiscard]] std::uint64_t offset(const char* text) const noexcept {
    return static_cast<std::uint64_t>(text - base_);
  }
  bool open() {
    if (memory_.open.size() >= most_depth) return false;
    memory_.open.push_back({begin_ + written(), memory_.seen.begin()});
    return true;
  }
  void note_member(std::size_t size) {
    if (routed_by_.may_be(size) && memory_.open.size() == 1) memory_.members.push_back(written());
  }
  /// A string that is not short ASCII: decoded here, so that with the GIL it is only copied.
  bool wide(const char* text, std::size_t size, bool escaped) {
    const std::string_view utf8(text, size);
    // RapidJSON 1.1.0 writes an escaped second half of a pair as if it were a character.
    if (escaped && holds_surrogate(utf8)) return false;
    const Width width = width_of(utf8);
    const std::size_t units = word::words_of(width.characters * width.unit);
    if (static_cast<std::size_t>(limit_ - at_) < units + 1) more_room(units + some_words);
    *at_++ = word::text(width.unit, width.characters);
    if (units != 0) at_[units - 1] = 0;
    decode(utf8, width, at_);
    at_ += units;
    return true;
  }

  Buffer<std::uint64_t>& words_;
  const char* base_;
  ReaderMemory& memory_;
  StringMarks marks_;
  const RoutedBy routed_by_;
  std::size_t begin_ = 0;           // where the document begins in the tape
  std::uint64_t* start_ = nullptr;  // the same, in memory
  std::uint64_t* at_ = nullptr;
  std::uint64_t* limit_ = nullptr;
};

}  // namespace fastws::json
