// One look at every 16 bytes: is there a backslash, may the key begin here?
#include "scan_plain.hpp"

#include <cstring>

#include "block.hpp"

namespace fastws::json {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Whether a key can not be mistaken: behind a closing quote none of its bytes can stand.
bool is_name(std::string_view key) {
  for (const char c : key) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.' && c != '$' && c != '@')
      return false;
  }
  return !key.empty();
}

struct Search {
  std::string_view text;
  std::string_view key;
  std::size_t found = 0;
  std::size_t times = 0;

  [[nodiscard]] bool is_here(std::size_t quote) const {
    const std::size_t behind = quote + 1 + key.size();
    return behind < text.size() && text[behind] == '"' &&
           std::memcmp(text.data() + quote + 1, key.data(), key.size()) == 0;
  }
  /// One block, of which the bits of `fresh` have not been looked at. False: a backslash.
  bool look(std::size_t at, Mask fresh) {
    const Block here(text.data() + at);
    Mask may = here.equal_or_pair('\\', '"', Block(text.data() + at + 1), key[0]) & fresh;
    for (; may != 0; may &= may - 1) {
      const std::size_t place = at + first_of(may);
      if (text[place] == '\\') return false;
      if (!is_here(place)) continue;
      found = place;
      ++times;
    }
    return true;
  }
};

/// Whether an object or array begins between the two places, or a string that holds a bracket.
bool any_bracket(std::string_view text) {
  return std::memchr(text.data(), '{', text.size()) != nullptr ||
         std::memchr(text.data(), '[', text.size()) != nullptr;
}

}  // namespace

std::optional<Route> find_plain_route(std::string_view text, std::string_view key) noexcept {
  if (text.size() < Block::size + 1 || !is_name(key)) return std::nullopt;
  std::size_t begin = 0;
  std::size_t end = text.size();
  while (begin < end && is_space(text[begin])) ++begin;
  while (end > begin && is_space(text[end - 1])) --end;
  if (end - begin < 2 || text[begin] != '{' || text[end - 1] != '}') return std::nullopt;

  Search search{text, key};
  const std::size_t last = text.size() - Block::size - 1;  // the last byte of a text is no key's first quote
  std::size_t at = 0;
  for (; at <= last; at += Block::size) {
    if (!search.look(at, 0xffff)) return std::nullopt;
  }
  if (!search.look(last, (Mask{0xffff} << (at - last)) & 0xffff)) return std::nullopt;
  if (search.times == 0) return Route{};
  if (search.times > 1) return std::nullopt;

  // A string of the outermost object, if no other one begins before it.
  if (any_bracket({text.data() + begin + 1, search.found - begin - 1})) return std::nullopt;
  at = search.found + key.size() + 2;
  while (at < end && is_space(text[at])) ++at;
  if (text[at] != ':') return std::nullopt;  // a value that reads like the key
  ++at;
  while (at < end && is_space(text[at])) ++at;
  if (text[at] != '"') return Route{};
  ++at;
  std::size_t close = at;
  for (; text[close] != '"'; ++close) {
    if (close + 1 == end || static_cast<unsigned char>(text[close]) < 0x20) return std::nullopt;
  }
  return Route{Route::Kind::found, {text.data() + at, close - at}};
}

}  // namespace fastws::json
