// One look at every 16 bytes: is there a backslash, or what the key begins with? A branch for every 64.
#include "scan_plain.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include "block.hpp"

namespace fastws::json {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

constexpr std::array<bool, 256> make_name_bytes() {
  std::array<bool, 256> bytes{};
  constexpr std::string_view those = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.$@";
  for (const char c : those) bytes[static_cast<unsigned char>(c)] = true;
  return bytes;
}

constexpr std::array<bool, 256> name_bytes = make_name_bytes();

/// Whether a key can not be mistaken: behind a closing quote none of its bytes can stand.
bool is_name(std::string_view key) {
  bool name = !key.empty();
  for (const char c : key) name &= name_bytes[static_cast<unsigned char>(c)];
  return name;
}

/// Looks for a key in quotes, and for a backslash, in a text that begins with something else.
class Search {
 public:
  Search(std::string_view text, std::string_view key)
      : text_(text), key_(key), first_(key[0]), second_(key.size() > 1 ? key[1] : '"') {}

  static constexpr std::size_t reach = Block::size + 1;  // bytes that are read to judge a block

  /// False: there is a backslash. The text's last byte, which no key and no escape begins with, is not looked at.
  bool run() {
    const std::size_t last = text_.size() - reach;
    std::size_t at = 0;
    for (; at + 3 * Block::size <= last; at += 4 * Block::size) {
      std::uint64_t places = 0;
      for (unsigned block = 0; block < 4; ++block) {
        places |= std::uint64_t{may_be_at(at + block * Block::size)} << (block * Block::size);
      }
      if (places != 0 && !look(at, places)) return false;
    }
    for (; at <= last; at += Block::size) {
      const Mask places = may_be_at(at);
      if (places != 0 && !look(at, places)) return false;
    }
    const Mask places = may_be_at(last) & (Mask{0xffff} << (at - last));
    return places == 0 || look(last, places);
  }
  [[nodiscard]] std::size_t times() const { return times_; }
  /// Where the last one has its first quote.
  [[nodiscard]] std::size_t found() const { return found_; }

 private:
  [[nodiscard]] Mask may_be_at(std::size_t at) const {
    const char* const bytes = text_.data() + at;
    return Block(bytes).equal_or_pair('\\', first_, Block(bytes + 1), second_);
  }
  bool look(std::size_t at, std::uint64_t places) {
    for (; places != 0; places &= places - 1) {
      const std::size_t place = at + static_cast<std::size_t>(__builtin_ctzll(places));
      if (text_[place] == '\\') return false;
      const std::size_t behind = place + key_.size();
      if (behind >= text_.size() || text_[behind] != '"' || text_[place - 1] != '"') continue;
      if (std::memcmp(text_.data() + place, key_.data(), key_.size()) != 0) continue;
      found_ = place - 1;
      ++times_;
    }
    return true;
  }

  const std::string_view text_;
  const std::string_view key_;
  const char first_;
  const char second_;
  std::size_t found_ = 0;
  std::size_t times_ = 0;
};

/// Whether an object or array begins between the two places, or a string that holds a bracket.
bool any_bracket(std::string_view text) {
  if (text.empty()) return false;
  return std::memchr(text.data(), '{', text.size()) != nullptr ||
         std::memchr(text.data(), '[', text.size()) != nullptr;
}

/// The place of the quote that ends a string; `end` where something must be amiss: no quote before it, or a control character.
std::size_t close_of(std::string_view text, std::size_t at, std::size_t end) {
  for (; at + Block::size <= end; at += Block::size) {
    const Block here(text.data() + at);
    const Mask stop = here.equal('"') | here.control();
    if (stop == 0) continue;
    at += first_of(stop);
    return text[at] == '"' ? at : end;
  }
  for (; at < end && text[at] != '"'; ++at) {
    if (static_cast<unsigned char>(text[at]) < 0x20) return end;
  }
  return at;
}

}  // namespace

bool find_plain_route(std::string_view text, std::string_view key, Route& route) noexcept {
  if (text.size() < Search::reach || !is_name(key)) return false;
  route = {};
  std::size_t begin = 0;
  std::size_t end = text.size();
  while (begin < end && is_space(text[begin])) ++begin;
  while (end > begin && is_space(text[end - 1])) --end;
  if (end - begin < 2 || text[begin] != '{' || text[end - 1] != '}') return false;

  Search search(text, key);
  if (!search.run()) return false;
  if (search.times() == 0) return true;
  if (search.times() > 1) return false;

  // A string of the outermost object, if no other one begins before it.
  std::size_t at = search.found();
  if (any_bracket(text.substr(begin + 1, at - begin - 1))) return false;
  at += key.size() + 2;
  while (at < end && is_space(text[at])) ++at;
  if (text[at] != ':') return false;  // a value that reads like the key
  ++at;
  while (at < end && is_space(text[at])) ++at;
  if (text[at] != '"') return true;
  ++at;
  const std::size_t close = close_of(text, at, end);
  if (close == end) return false;
  route.kind = Route::Kind::found;
  route.value = {text.data() + at, close - at};
  return true;
}

}  // namespace fastws::json
