// RapidJSON reads the structure; strings and numbers are read for it here, and what it refuses is rolled back.
//
// RapidJSON 1.1.0 as distributions ship it converts some numbers wrongly and crashes on others, and reads past the end when
// it validates UTF-8: so it is asked for neither. The text was valid UTF-8 before.
#include "reader.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "insitu.hpp"
#include "number.hpp"
#include "tape_writer.hpp"

namespace fastws::json {

namespace {

constexpr unsigned flags = rapidjson::kParseInsituFlag;
constexpr std::size_t most_text = (std::uint64_t{1} << 32) - 64;  // offsets have 32 bits

using Sax = rapidjson::GenericReader<PlainRuns, PlainRuns>;

}  // namespace

}  // namespace fastws::json

// Two of the steps of RapidJSON's reader, specialised for our text. Half of a message is strings and numbers, and most of
// them are short: what RapidJSON prepares for each costs more than reading it.
namespace rapidjson {

using fastws::json::EscapedText;
using fastws::json::InsituText;
using fastws::json::TapeWriter;

template <>
template <>
inline void fastws::json::Sax::ParseString<fastws::json::flags, InsituText, TapeWriter>(InsituText& text,
                                                                                        TapeWriter& writer,
                                                                                        bool is_key) {
  const char* const begin = text.at + 1;
  if (is_key) {
    if (const char* const behind = writer.expected_key(begin)) {
      text.at += behind - text.at;
      return;
    }
  }
  fastws::json::StringMarks marks;
  const char* const end = fastws::json::end_of_plain(begin, marks.run);
  if (*end != '"') {  // an escape, or what may not stand in a string: RapidJSON's own way
    EscapedText escaped(text, writer.escaped_marks());
    ParseString<fastws::json::flags>(escaped, writer, is_key);
    text.at = escaped.at;
    return;
  }
  const auto size = static_cast<std::size_t>(end - begin);
  if (!(is_key ? writer.key(begin, size, marks) : writer.string(begin, size, marks))) {
    parseResult_.Set(kParseErrorTermination, text.Tell());
  }
  text.at += size + 2;
}

template <>
template <>
inline void fastws::json::Sax::ParseNumber<fastws::json::flags, InsituText, TapeWriter>(InsituText& text,
                                                                                        TapeWriter& writer) {
  fastws::json::Number number;
  const char* const behind = fastws::json::read_number(text.at, text.end, number);
  const std::size_t size = behind == nullptr ? 0 : static_cast<std::size_t>(behind - text.at);
  if (behind == nullptr || !writer.number(text.at, size, number)) {
    parseResult_.Set(kParseErrorValueInvalid, text.Tell());
  }
  text.at += size;
}

}  // namespace rapidjson

namespace fastws::json {

class Reader::Impl {
 public:
  Document append(Tape& tape, std::string_view text, RoutedBy routed_by);
  /// The route of the document that was appended last; nullopt = its words do not tell.
  [[nodiscard]] std::optional<Route> route(const Tape& tape, const Document& document,
                                           const std::vector<std::string>& keys) const;

 private:
  Sax sax_;
  ReaderMemory memory_;
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

Document Reader::Impl::append(Tape& tape, std::string_view text, RoutedBy routed_by) {
  Document document = append_text(tape, text);
  if (text.empty() || text.size() > most_text) return document;
  char* begin = tape.text.data() + document.text;
  TapeWriter writer(tape, document.text, memory_, routed_by);
  InsituText stream(begin, text.size());
  sax_.Parse<flags>(stream, writer);
  // A zero byte ends the text for RapidJSON; json.loads refuses what stands behind it.
  const bool taken = !sax_.HasParseError() && stream.Tell() == text.size();
  if (taken) {
    writer.keep();
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
  if (memory_.odd_member)
    return std::nullopt;  // not ASCII, long, or written with escapes: perhaps one of the keys
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

Document Reader::append(Tape& tape, std::string_view text) { return impl_->append(tape, text, RoutedBy()); }

Document Reader::append(Tape& tape, std::string_view text, const std::vector<std::string>& keys, Route& route,
                        std::string& scratch) {
  const Document document = impl_->append(tape, text, RoutedBy(keys));
  const auto told = document.fallback ? std::nullopt : impl_->route(tape, document, keys);
  route = told ? *told : find_route(text, keys, scratch);
  return document;
}

}  // namespace fastws::json
