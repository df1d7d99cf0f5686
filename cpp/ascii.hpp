// Digits, letters, tokens and blanks as the grammars of HTTP, URLs and JSON know them, whatever the locale.
//
// May know: nothing of this project. Promises: pure; bytes above 127 are none of these.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace fastws {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

inline std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

/// RFC 9110 section 5.6.2: what a token is made of.
constexpr bool in_token(char c) noexcept {
  return is_digit(c) || is_alpha(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

inline bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), in_token);
}

/// Without the spaces and tabs around it (RFC 9110 section 5.6.3).
constexpr std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace fastws
