// The SAX handler that writes the tape, and the rollback when a text is refused.
//
// RapidJSON 1.1.0 as distributions ship it converts some numbers wrongly and crashes on others, and reads past the end when
// it validates UTF-8: so it is asked for neither. Numbers come as text, and the text was valid UTF-8 before.
#include "reader.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "insitu.hpp"
#include "number.hpp"
#include "seen.hpp"
#include "unicode.hpp"

namespace fastws::json {

namespace {

constexpr unsigned flags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;
constexpr std::size_t most_text = (std::uint64_t{1} << 32) - 64;  // offsets have 32 bits

/// An object or array that is not closed yet.
struct Open {
  std::size_t word;  // its place in the tape
  Seen::Keys keys;
};

/// What a reader keeps from text to text.
struct Memory {
  Seen seen;
  std::vector<Open> open;
  std::vector<std::size_t> members;  // the outermost object's keys: their places in the document's words
};

enum class Members : unsigned char { passed, noted };

class Handler {
 public:
  Handler(Tape& tape, std::size_t text, Memory& memory, const StringMarks& marks, Members members)
      : words_(tape.words),
        base_(tape.text.data() + text),
        memory_(memory),
        marks_(marks),
        noting_(members == Members::noted) {
    begin_ = words_.size();
    memory_.members.clear();
    memory_.open.clear();
    memory_.seen.clear();
    more_room();
  }
  /// What was written becomes part of the tape.
  void keep() noexcept { words_.set_size(begin_ + written()); }

  bool Null() { return put(word::make(Tag::null)); }
  bool Bool(bool value) { return put(word::make(value ? Tag::yes : Tag::no)); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const Number number = read_number({text, size});
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
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (!marks_.ascii() || size > word::most_ascii) return wide(text, size);
    if (size > 1 && size <= Seen::longest_string) {
      const std::uint64_t number = memory_.seen.string(text, size);
      if (number != 0) return put(word::span(Tag::known, size, offset(text)), number);
    }
    return put(word::span(Tag::ascii, size, offset(text)));
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    Seen::Keys& keys = memory_.open.back().keys;
    if (noting_ && memory_.open.size() == 1) memory_.members.push_back(written());
    if (!marks_.ascii() || size > word::most_key) {
      keys.spoil();
      return wide(text, size);
    }
    return put(word::key(size, keys.add(memory_.seen, text, size), offset(text)));
  }
  bool StartObject() { return open() && put(0, 0); }
  bool EndObject(rapidjson::SizeType members) {
    Open& object = memory_.open.back();
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

  // With numbers as strings none of these is called.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

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
  /// A string that is not short ASCII: decoded here, so that with the GIL it is only copied.
  bool wide(const char* text, std::size_t size) {
    const std::string_view utf8(text, size);
    // RapidJSON 1.1.0 writes an escaped second half of a pair as if it were a character.
    if (marks_.escaped && holds_surrogate(utf8)) return false;
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
  Memory& memory_;
  const StringMarks& marks_;
  const bool noting_;
  std::size_t begin_ = 0;           // where the document begins in the tape
  std::uint64_t* start_ = nullptr;  // the same, in memory
  std::uint64_t* at_ = nullptr;
  std::uint64_t* limit_ = nullptr;
};

}  // namespace

class Reader::Impl {
 public:
  Document append(Tape& tape, std::string_view text, Members members);
  /// The route of the document that was appended last; nullopt = its words do not tell.
  [[nodiscard]] std::optional<Route> route(const Tape& tape, const Document& document,
                                           const std::vector<std::string>& keys) const;

 private:
  rapidjson::GenericReader<PlainRuns, PlainRuns> sax_;
  Memory memory_;
};

Reader::Reader() : impl_(std::make_unique<Impl>()) {}
Reader::~Reader() = default;

Document Reader::append_text(Tape& tape, std::string_view text) {
  Document document;
  document.text = tape.text.size();
  document.text_size = text.size();
  document.words = tape.words.size();
  document.fallback = true;
  char* to = tape.text.room(text.size() + zero_bytes);
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  std::memset(to + text.size(), 0, zero_bytes);
  tape.text.set_size(document.text + text.size() + end_bytes);  // the rest stays readable
  return document;
}

Document Reader::Impl::append(Tape& tape, std::string_view text, Members members) {
  Document document = append_text(tape, text);
  if (text.empty() || text.size() > most_text) return document;
  char* begin = tape.text.data() + document.text;
  StringMarks marks;
  Handler handler(tape, document.text, memory_, marks, members);
  InsituText stream(begin, marks);
  sax_.Parse<flags>(stream, handler);
  // A zero byte ends the text for RapidJSON; json.loads refuses what stands behind it.
  const bool taken = !sax_.HasParseError() && stream.Tell() == text.size();
  if (taken) {
    handler.keep();
    document.fallback = false;
    document.word_count = tape.words.size() - document.words;
  } else {
    std::memcpy(begin, text.data(), text.size());
  }
  return document;
}

std::optional<Route> Reader::Impl::route(const Tape& tape, const Document& document,
                                         const std::vector<std::string>& keys) const {
  const std::uint64_t* words = tape.words.data() + document.words;
  const char* text = tape.text.data() + document.text;
  const auto span = [&](std::uint64_t word, std::size_t size) {
    return std::string_view(text + word::offset(word), size);
  };
  for (const std::size_t at : memory_.members) {
    if (word::tag(words[at]) != Tag::key) return std::nullopt;  // not ASCII, long, or written with escapes
  }
  for (const std::string& key : keys) {
    // The last duplicate wins, as in json.loads.
    const auto member = std::find_if(memory_.members.rbegin(), memory_.members.rend(), [&](std::size_t at) {
      return span(words[at], word::key_size(words[at])) == key;
    });
    if (member == memory_.members.rend()) continue;
    const std::uint64_t value = words[*member + 1];
    const Tag tag = word::tag(value);
    if (tag == Tag::text) return std::nullopt;
    if (tag != Tag::ascii && tag != Tag::known) return Route{};
    return Route{Route::Kind::found, span(value, word::span_size(value))};
  }
  return Route{};
}

Document Reader::append(Tape& tape, std::string_view text) {
  return impl_->append(tape, text, Members::passed);
}

Document Reader::append(Tape& tape, std::string_view text, const std::vector<std::string>& keys, Route& route,
                        std::string& scratch) {
  const Document document = impl_->append(tape, text, Members::noted);
  const auto told = document.fallback ? std::nullopt : impl_->route(tape, document, keys);
  route = told ? *told : find_route(text, keys, scratch);
  return document;
}

}  // namespace fastws::json
