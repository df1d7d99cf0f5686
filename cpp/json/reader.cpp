// The SAX handler that writes the tape, and the rollback when a text is refused.
//
// RapidJSON 1.1.0 as distributions ship it converts some numbers wrongly and crashes on others, and reads past the end when
// it validates UTF-8: so it is asked for neither. Numbers come as text, and the text was valid UTF-8 before.
#include "reader.hpp"

#include <rapidjson/reader.h>

#include <cstring>
#include <random>
#include <string_view>
#include <vector>

#include "number.hpp"

namespace fastws::json {

namespace {

constexpr unsigned flags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;
constexpr std::size_t most_depth = 500;  // RapidJSON recurses: 176 bytes of stack a level at the most
constexpr std::size_t zero_bytes = 32;   // behind every text: RapidJSON wants an end, wide loads want room
constexpr std::size_t most_text = (std::uint64_t{1} << 32) - 64;  // offsets have 32 bits

std::uint64_t eight_bytes(const char* bytes) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

bool is_ascii(const char* bytes, std::size_t size) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::size_t at = 0;
  std::uint64_t seen = 0;
  for (; at + 8 <= size; at += 8) seen |= eight_bytes(bytes + at);
  for (; at < size; ++at) seen |= static_cast<unsigned char>(bytes[at]);
  return (seen & high_bits) == 0;
}

/// Secret to this process, so that nobody can send keys that meet in one place of the builder's cache.
std::uint64_t hash_seed() {
  static const std::uint64_t seed = [] {
    std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device();
  }();
  return seed;
}

class Handler {
 public:
  Handler(Tape& tape, std::size_t text, std::vector<std::size_t>& open, std::uint64_t seed)
      : tape_(tape), base_(tape.text.data() + text), open_(open), seed_(seed) {
    open_.clear();
  }

  bool Null() { return put(word::make(Tag::null)); }
  bool Bool(bool value) { return put(word::make(value ? Tag::yes : Tag::no)); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    const Number number = read_number({text, size});
    switch (number.kind) {
      case Number::Kind::integer:
        if (number.integer >= -word::most_integer && number.integer <= word::most_integer) {
          return put(word::make(Tag::integer, static_cast<std::uint64_t>(number.integer)));
        }
        return put(word::make(Tag::int64)) && put(static_cast<std::uint64_t>(number.integer));
      case Number::Kind::digits: return put(word::span(Tag::digits, size, offset(text)));
      case Number::Kind::float64: {
        std::uint64_t bits = 0;
        std::memcpy(&bits, &number.float64, sizeof bits);
        return put(word::make(Tag::float64)) && put(bits);
      }
      case Number::Kind::refused: break;
    }
    return false;
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (size <= word::most_ascii && is_ascii(text, size))
      return put(word::span(Tag::ascii, size, offset(text)));
    return wide(text, size);
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (size <= word::most_key && is_ascii(text, size))
      return put(word::key(size, hash(text, size), offset(text)));
    return wide(text, size);
  }
  bool StartObject() { return open(); }
  bool EndObject(rapidjson::SizeType members) { return close(Tag::object, members); }
  bool StartArray() { return open(); }
  bool EndArray(rapidjson::SizeType elements) { return close(Tag::array, elements); }

  // With numbers as strings none of these is called.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

 private:
  bool put(std::uint64_t value) {
    tape_.words.push_back(value);
    return true;
  }
  [[nodiscard]] std::uint64_t offset(const char* text) const noexcept {
    return static_cast<std::uint64_t>(text - base_);
  }
  bool open() {
    if (open_.size() >= most_depth) return false;
    open_.push_back(tape_.words.size());
    return put(0);
  }
  bool close(Tag tag, std::uint64_t count) {
    tape_.words[open_.back()] = word::make(tag, count);
    open_.pop_back();
    return true;
  }
  /// A string that is not short ASCII: counts its characters, so that the object can be made in one piece.
  bool wide(const char* text, std::size_t size) {
    std::uint64_t characters = 0;
    unsigned char highest = 0;
    for (std::size_t at = 0; at < size; ++at) {
      const auto byte = static_cast<unsigned char>(text[at]);
      if ((byte & 0xc0) != 0x80) ++characters;
      if (byte > highest) highest = byte;
      // An escaped lone surrogate: RapidJSON 1.1.0 writes the second half as if it were a character.
      if (byte == 0xed && at + 1 < size && static_cast<unsigned char>(text[at + 1]) >= 0xa0) return false;
    }
    const unsigned widest = highest < 0x80 ? 1 : highest < 0xc4 ? 2 : highest < 0xf0 ? 3 : 4;
    return put(word::text(widest, offset(text))) && put(word::sizes(size, characters));
  }
  [[nodiscard]] std::uint16_t hash(const char* text, std::size_t size) const noexcept {
    // Reading past the key is fine (32 zero bytes stand behind the text), what is read there is masked away.
    std::uint64_t value = seed_ ^ size * 0x9e3779b97f4a7c15;
    for (std::size_t at = 0; at < size; at += 8) {
      const std::size_t left = size - at;
      const std::uint64_t mask = left >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * left)) - 1;
      value = (value ^ (eight_bytes(text + at) & mask)) * 0xff51afd7ed558ccd;
      value ^= value >> 32;
    }
    return static_cast<std::uint16_t>(value >> 16);
  }

  Tape& tape_;
  const char* base_;
  std::vector<std::size_t>& open_;
  const std::uint64_t seed_;
};

}  // namespace

class Reader::Impl {
 public:
  rapidjson::Reader sax;
  std::vector<std::size_t> open;
  const std::uint64_t seed = hash_seed();
};

Reader::Reader() : impl_(std::make_unique<Impl>()) {}
Reader::~Reader() = default;

Document Reader::append_text(Tape& tape, std::string_view text) {
  Document document;
  document.text = tape.text.size();
  document.text_size = text.size();
  document.words = tape.words.size();
  document.fallback = true;
  tape.text.insert(tape.text.end(), text.begin(), text.end());
  tape.text.insert(tape.text.end(), zero_bytes, '\0');
  return document;
}

Document Reader::append(Tape& tape, std::string_view text) {
  Document document = append_text(tape, text);
  if (text.empty() || text.size() > most_text) return document;
  char* begin = tape.text.data() + document.text;
  Handler handler(tape, document.text, impl_->open, impl_->seed);
  rapidjson::InsituStringStream stream(begin);
  impl_->sax.Parse<flags>(stream, handler);
  // A zero byte ends the text for RapidJSON; json.loads refuses what stands behind it.
  const bool taken = !impl_->sax.HasParseError() && stream.Tell() == text.size();
  if (taken) {
    document.fallback = false;
    document.word_count = tape.words.size() - document.words;
  } else {
    tape.words.resize(document.words);
    std::memcpy(begin, text.data(), text.size());
  }
  return document;
}

}  // namespace fastws::json
