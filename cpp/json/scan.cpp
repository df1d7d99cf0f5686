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

/// A string value as it stands in the text.
struct Span {
  const char* begin = nullptr;
  const char* end = nullptr;
  bool escaped = false;
};

struct Found {
  bool present = false;
  bool is_string = false;
  Span value;
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
bool unescape(const Span& span, std::string& out) {
  for (const char* at = span.begin; at < span.end; ++at) {
    if (*at != '\\') {
      out += *at;
      continue;
    }
    if (++at == span.end) return false;
    static constexpr std::string_view escapes = "\"\\/bfnrt";
    static constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    const std::size_t simple = escapes.find(*at);
    if (simple != std::string_view::npos) {
      out += meanings[simple];
      continue;
    }
    if (*at != 'u') return false;
    const std::int32_t unit = code_unit(at + 1, span.end);
    if (unit < 0 || (unit >= 0xdc00 && unit < 0xe000)) return false;
    at += 4;
    auto code = static_cast<std::uint32_t>(unit);
    if (unit >= 0xd800 && unit < 0xdc00) {
      if (span.end - at < 7 || at[1] != '\\' || at[2] != 'u') return false;
      const std::int32_t low = code_unit(at + 3, span.end);
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
  const auto size = static_cast<std::size_t>(span.end - span.begin);
  if (!span.escaped) return size == key.size() && std::memcmp(span.begin, key.data(), size) == 0;
  scratch.clear();
  return unescape(span, scratch) && scratch == key;
}

Route unreadable() { return {Route::Kind::unreadable, {}}; }

Route decide(const std::vector<Found>& found, std::string& scratch) {
  for (const Found& one : found) {
    if (!one.present) continue;
    if (!one.is_string) return {};
    const Span& value = one.value;
    for (const char* at = value.begin; at != value.end; ++at) {
      if (static_cast<unsigned char>(*at) < 0x20) return unreadable();
    }
    if (!value.escaped) {
      return {Route::Kind::found, {value.begin, static_cast<std::size_t>(value.end - value.begin)}};
    }
    scratch.clear();
    if (!unescape(value, scratch)) return unreadable();
    return {Route::Kind::found, scratch};
  }
  return {};
}

}  // namespace

Route find_route(std::string_view text, const std::vector<std::string>& keys, std::string& scratch) {
  if (keys.size() == 1) {
    if (const auto route = find_plain_route(text, keys[0])) return *route;
  }
  Scanner scanner(text);
  scanner.skip_space();
  if (!scanner.take('{')) {
    const bool whole =
        (scanner.peek() == '[' || scanner.peek() == '"') ? scanner.skip_value() : scanner.skip_scalar();
    scanner.skip_space();
    return whole && scanner.done() ? Route{} : unreadable();
  }
  thread_local std::vector<Found> found;
  found.assign(keys.size(), {});
  scanner.skip_space();
  if (!scanner.take('}')) {
    for (;;) {
      scanner.skip_space();
      Span name;
      if (!scanner.take('"') || !scanner.string(name)) return unreadable();
      scanner.skip_space();
      if (!scanner.take(':')) return unreadable();
      scanner.skip_space();
      Found member;
      member.present = true;
      member.is_string = scanner.peek() == '"';
      if (member.is_string) {
        scanner.take('"');
        if (!scanner.string(member.value)) return unreadable();
      } else if (!scanner.skip_value()) {
        return unreadable();
      }
      for (std::size_t index = 0; index < keys.size(); ++index) {
        if (is_key(name, keys[index], scratch))
          found[index] = member;  // the last duplicate wins, as in json.loads
      }
      scanner.skip_space();
      if (scanner.take('}')) break;
      if (!scanner.take(',')) return unreadable();
    }
  }
  scanner.skip_space();
  return scanner.done() ? decide(found, scratch) : unreadable();
}

}  // namespace fastws::json
