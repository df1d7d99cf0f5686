// One pass over the text by the brackets and quotes alone: right for every text that is JSON, cheap for all. Most texts
// need not even that (scan_plain.hpp).
#include "scan.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "block.hpp"
#include "scan_plain.hpp"

namespace fastws::json {

namespace {

/// A string as it stands in the text.
struct Span {
  const char* begin = nullptr;
  const char* end = nullptr;
  bool escaped = false;

  [[nodiscard]] std::string_view text() const { return {begin, static_cast<std::size_t>(end - begin)}; }
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_character(std::string& out, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xc0 | code >> 6);
    byte(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    byte(0xe0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  } else {
    byte(0xf0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3f));
    byte(0x80 | (code >> 6 & 0x3f));
    byte(0x80 | (code & 0x3f));
  }
}

/// Four hexadecimal digits; -1 when they are not.
std::int32_t code_unit(const char* at, const char* end) {
  if (end - at < 4) return -1;
  std::int32_t value = 0;
  for (int index = 0; index < 4; ++index) {
    const int digit = hex_value(at[index]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/// Appends what the string means. False: a bad escape, or a lone surrogate, which UTF-8 can not hold.
bool unescape(std::string_view text, std::string& out) {
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at < end; ++at) {
    if (*at != '\\') {
      out += *at;
      continue;
    }
    if (++at == end) return false;
    static constexpr std::string_view escapes = "\"\\/bfnrt";
    static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t simple = escapes.find(*at);
    if (simple != std::string_view::npos) {
      out += meanings[simple];
      continue;
    }
    if (*at != 'u') return false;
    const std::int32_t unit = code_unit(at + 1, end);
    if (unit < 0 || (unit >= 0xdc00 && unit < 0xe000)) return false;
    at += 4;
    auto code = static_cast<std::uint32_t>(unit);
    if (unit >= 0xd800 && unit < 0xdc00) {
      if (end - at < 7 || at[1] != '\\' || at[2] != 'u') return false;
      const std::int32_t low = code_unit(at + 3, end);
      if (low < 0xdc00 || low >= 0xe000) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + (static_cast<std::uint32_t>(low) - 0xdc00);
      at += 6;
    }
    append_character(out, code);
  }
  return true;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  void skip_space() {
    while (at_ != end_ && is_space(*at_)) ++at_;
  }
  [[nodiscard]] bool done() const { return at_ == end_; }
  [[nodiscard]] const char* here() const { return at_; }
  [[nodiscard]] char peek() const { return at_ == end_ ? '\0' : *at_; }
  bool take(char wanted) {
    if (peek() != wanted || at_ == end_) return false;
    ++at_;
    return true;
  }

  /// From behind the opening quote to behind the closing one. False: it does not end.
  bool string(Span& span) {
    span.begin = at_;
    for (;;) {
      at_ = next([](const Block& block) { return block.equal('"') | block.equal('\\'); });
      while (at_ != end_ && *at_ != '"' && *at_ != '\\') ++at_;
      if (at_ == end_) return false;
      if (*at_ == '"') break;
      span.escaped = true;
      at_ += 2;
      if (at_ > end_) {
        at_ = end_;
        return false;
      }
    }
    span.end = at_++;
    return true;
  }

  /// Behind one value of any kind. False: it does not end.
  bool skip_value() {
    Span ignored;
    if (take('"')) return string(ignored);
    if (peek() != '{' && peek() != '[') {
      const char* begin = at_;
      while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && !is_space(*at_)) ++at_;
      return at_ != begin;
    }
    std::size_t depth = 0;
    for (;;) {
      at_ = next([](const Block& block) {
        return block.equal('"') | block.equal_folded('{') | block.equal_folded('}');
      });
      if (at_ == end_) break;
      const char c = *at_++;
      if (c == '"') {
        if (!string(ignored)) return false;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        return true;
      }
    }
    return false;
  }

  /// Behind a number or a literal, those that json.loads takes beyond JSON included. False: it is neither.
  bool skip_scalar() {
    const char* begin = at_;
    while (at_ != end_ && !is_space(*at_)) ++at_;
    const std::string_view scalar(begin, static_cast<std::size_t>(at_ - begin));
    for (const std::string_view literal : {"true", "false", "null", "NaN", "Infinity", "-Infinity"}) {
      if (scalar == literal) return true;
    }
    return !scalar.empty() && scalar.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
  }

 private:
  /// The first byte from here on that the mask of its block has; near the end, where it must be looked for singly.
  template <class Stops>
  [[nodiscard]] const char* next(Stops stops) const {
    const char* at = at_;
    for (; end_ - at >= static_cast<std::ptrdiff_t>(Block::size); at += Block::size) {
      const Mask mask = stops(Block(at));
      if (mask != 0) return at + first_of(mask);
    }
    return at;
  }

  const char* at_;
  const char* end_;
};

bool is_key(const Span& span, const std::string& key, std::string& scratch) {
  if (!span.escaped) return span.text() == key;
  scratch.clear();
  return unescape(span.text(), scratch) && scratch == key;
}

Route unreadable() { return {Route::Kind::unreadable, {}}; }

Route decide(const std::vector<Member>& members, std::string& scratch) {
  for (const Member& one : members) {
    if (one.kind == Member::Kind::absent) continue;
    if (one.kind != Member::Kind::string) return {};
    const auto value = string_of(one, scratch);
    return value ? Route{Route::Kind::found, *value} : unreadable();
  }
  return {};
}

/// This thread's own, so that a text costs no allocation.
std::vector<Member>& absent(std::size_t count) {
  thread_local std::vector<Member> members;
  members.assign(count, {});
  return members;
}

enum class Scanned : unsigned char { members, no_object, broken };

enum class Until : unsigned char { end, first_key };

/// `members` is as long as `keys`.
Scanned scan_members(std::string_view text, const std::vector<std::string>& keys,
                     std::vector<Member>& members, std::string& scratch, Until until = Until::end) {
  Scanner scanner(text);
  scanner.skip_space();
  if (!scanner.take('{')) {
    const bool whole =
        (scanner.peek() == '[' || scanner.peek() == '"') ? scanner.skip_value() : scanner.skip_scalar();
    scanner.skip_space();
    return whole && scanner.done() ? Scanned::no_object : Scanned::broken;
  }
  scanner.skip_space();
  if (!scanner.take('}')) {
    for (;;) {
      scanner.skip_space();
      Span name;
      if (!scanner.take('"') || !scanner.string(name)) return Scanned::broken;
      scanner.skip_space();
      if (!scanner.take(':')) return Scanned::broken;
      scanner.skip_space();
      Member member;
      if (scanner.take('"')) {
        Span value;
        if (!scanner.string(value)) return Scanned::broken;
        member = {Member::Kind::string, value.text(), value.escaped};
      } else {
        const char* begin = scanner.here();
        if (!scanner.skip_value()) return Scanned::broken;
        member = {Member::Kind::other, {begin, static_cast<std::size_t>(scanner.here() - begin)}, false};
      }
      for (std::size_t index = 0; index < keys.size(); ++index) {
        if (!is_key(name, keys[index], scratch)) continue;
        members[index] = member;  // the last duplicate wins, as in json.loads
        if (until == Until::first_key) return Scanned::members;
      }
      scanner.skip_space();
      if (scanner.take('}')) break;
      if (!scanner.take(',')) return Scanned::broken;
    }
  }
  scanner.skip_space();
  return scanner.done() ? Scanned::members : Scanned::broken;
}

}  // namespace

std::optional<std::string_view> string_of(const Member& member, std::string& scratch) {
  for (const char c : member.raw) {
    if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
  }
  if (!member.escaped) return member.raw;
  scratch.clear();
  if (!unescape(member.raw, scratch)) return std::nullopt;
  return scratch;
}

bool find_members(std::string_view text, const std::vector<std::string>& keys, std::vector<Member>& members,
                  std::string& scratch) {
  members.assign(keys.size(), {});
  return scan_members(text, keys, members, scratch) == Scanned::members;
}

Route find_route(std::string_view text, const std::vector<std::string>& keys, std::string& scratch) {
  if (Route route; keys.size() == 1 && find_plain_route(text, keys[0], route)) return route;
  std::vector<Member>& members = absent(keys.size());
  switch (scan_members(text, keys, members, scratch)) {
    case Scanned::members: return decide(members, scratch);
    case Scanned::no_object: return {};
    case Scanned::broken: break;
  }
  return unreadable();
}

Route guess_route(std::string_view beginning, const std::vector<std::string>& keys, std::string& scratch) {
  std::vector<Member>& members = absent(keys.size());
  // A text that breaks off in the middle has no first key.
  if (scan_members(beginning, keys, members, scratch, Until::first_key) != Scanned::members) return {};
  return decide(members, scratch);
}

}  // namespace fastws::json
