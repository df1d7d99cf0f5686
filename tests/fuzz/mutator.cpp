// One pass finds the values and keys of a text; then one of them is replaced, repeated, wrapped or changed; see mutator.hpp.
#include "mutator.hpp"

#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace fastws::fuzz {

namespace {

constexpr std::string_view string_parts[] = {"type",
                                             "a",
                                             "b",
                                             "k1",
                                             "x",
                                             "0123456789abcdef",
                                             "\x7f",
                                             "\xc3\xa9",
                                             "\xe4\xb8\x96",
                                             "\xf0\x9f\x98\x80",
                                             R"(\n)",
                                             R"(\")",
                                             R"(\\)",
                                             R"(\u0000)",
                                             R"(\u00e9)",
                                             R"(\ud83d\ude00)",
                                             R"(\ud800)",
                                             R"(\udc00)"};
constexpr std::string_view values[] = {
    "null", "true", "false", "[]",  "{}",    R"("")",           R"("type")",
    "0",    "-0",   "-0.0",  "NaN", "1e400", R"([[{"a":[1]}]])"};

struct Span {
  std::size_t begin;
  std::size_t size;
};

class Change {
 public:
  Change(std::string text, unsigned seed) : text_(std::move(text)), dice_(seed) { find_spans(); }

  /// False: there is nothing to change.
  bool make() {
    if (spans_.empty()) return false;
    const Span at = any_span();
    const bool key = is_key(at);
    switch (roll(key ? 3 : 8)) {
      case 0: return replace(at, key ? any_string() : any_value());
      case 1:
      case 2: return text_[at.begin] == '"' ? change_string(at) : replace(at, number());
      case 3: return replace(at, copy(at) + "," + (is_member(at) ? any_string() + ":" : "") + any_value());
      case 4: return replace(at, "[" + copy(at) + "," + any_value() + "]");
      case 5: return replace(at, "{" + any_string() + ":" + copy(at) + "}");
      case 6: return replace(at, any_of(values));
      default: return replace(at, std::string(1, " \t\n\r"[roll(4)]) + copy(at) + std::string(roll(2), ' '));
    }
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::size_t roll(std::size_t sides) {
    return std::uniform_int_distribution<std::size_t>(0, sides - 1)(dice_);
  }
  template <class Items>
  std::string any_of(const Items& items) {
    return std::string(items[roll(std::size(items))]);
  }

  void find_spans() {
    std::vector<std::size_t> open;
    std::size_t at = 0;
    while (at < text_.size()) {
      const std::size_t begin = at++;
      const char first = text_[begin];
      if (first == '[' || first == '{') {
        open.push_back(begin);
      } else if ((first == ']' || first == '}') && !open.empty()) {
        spans_.push_back({open.back(), at - open.back()});
        open.pop_back();
      } else if (first == '"') {
        while (at < text_.size() && text_[at] != '"') at += text_[at] == '\\' ? 2 : 1;
        if (at >= text_.size()) return;
        spans_.push_back({begin, ++at - begin});
      } else if (is_plain(first)) {
        while (at < text_.size() && is_plain(text_[at])) ++at;
        spans_.push_back({begin, at - begin});
      }
    }
  }
  static bool is_plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
  }

  [[nodiscard]] bool is_key(const Span& span) const {
    const std::size_t behind = text_.find_first_not_of(" \t\r\n", span.begin + span.size);
    return behind != std::string::npos && text_[behind] == ':';
  }
  [[nodiscard]] bool is_member(const Span& span) const {
    const std::size_t before =
        span.begin == 0 ? std::string::npos : text_.find_last_not_of(" \t\r\n", span.begin - 1);
    return before != std::string::npos && text_[before] == ':';
  }
  Span any_span() { return spans_[roll(spans_.size())]; }
  [[nodiscard]] std::string copy(const Span& span) const { return text_.substr(span.begin, span.size); }
  std::string any_value() { return copy(any_span()); }
  std::string any_string() {
    for (int tries = 0; tries < 4; ++tries) {
      const Span span = any_span();
      if (text_[span.begin] == '"') return copy(span);
    }
    return "\"" + any_of(string_parts) + "\"";
  }
  std::string digits(std::size_t most) {
    std::string made(1, static_cast<char>('1' + roll(9)));
    for (std::size_t more = roll(most); more != 0; --more) made += static_cast<char>('0' + roll(10));
    return made;
  }
  std::string number() {
    std::string made = (roll(2) != 0 ? "-" : "") + (roll(4) != 0 ? digits(roll(8) != 0 ? 20 : 310) : "0");
    if (roll(2) != 0) made += "." + std::string(roll(4), '0') + digits(20);
    if (roll(3) == 0) made += (roll(2) != 0 ? "e-" : "E") + digits(3);
    return made;
  }

  bool replace(const Span& span, const std::string& by) {
    text_.replace(span.begin, span.size, by);
    return true;
  }
  bool change_string(const Span& span) {
    const std::size_t at = span.begin + 1 + roll(span.size - 1);
    if (at != span.begin + span.size - 1 && roll(3) == 0) {
      text_[at] = static_cast<char>('a' + roll(26));
    } else {
      text_.insert(at, any_of(string_parts));
    }
    return true;
  }

  std::string text_;
  std::mt19937 dice_;
  std::vector<Span> spans_;
};

}  // namespace

std::size_t mutate_json(std::uint8_t* text, std::size_t size, std::size_t most, unsigned seed) {
  std::string changed(reinterpret_cast<const char*>(text), size);
  bool made = seed % 4 != 0;
  for (unsigned times = seed / 4 % 3 + 1; made && times != 0; --times) {
    Change change(std::move(changed), seed + times);
    made = change.make();
    changed = change.text();
  }
  if (!made || changed.size() > most) return LLVMFuzzerMutate(text, size, most);
  std::memcpy(text, changed.data(), changed.size());
  return changed.size();
}

}  // namespace fastws::fuzz
