// Servers explain a refusal in its page; some repeat there what they were sent.
#include "page.hpp"

#include <algorithm>
#include <cstddef>

#include "../ascii.hpp"
#include "utf8.hpp"

namespace fastws::engine {

namespace {

constexpr std::size_t most_characters = 80;
constexpr std::size_t shortest_in_query = 4;    // of a word that may be a secret
constexpr std::size_t shortest_in_headers = 8;  // there "Bearer" and the like are words, too

bool in_word(char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || c == '~'; }

void mask(std::string& text, std::string_view word) {
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += 3) {
    text.replace(at, word.size(), "***");
  }
}

/// By words, so that it does not matter how the server has undone percent escapes.
void mask_words(std::string& text, std::string_view sent, std::size_t shortest) {
  for (std::size_t at = 0; at < sent.size();) {
    if (!in_word(sent[at])) {
      at += sent[at] == '%' ? 3 : 1;
      continue;
    }
    const auto* const end = std::find_if_not(sent.begin() + at, sent.end(), in_word);
    const std::string_view word = sent.substr(at, static_cast<std::size_t>(end - sent.begin()) - at);
    if (word.size() >= shortest) mask(text, word);
    at += word.size();
  }
}

void mask_query(std::string& text, std::string_view resource) {
  std::size_t at = resource.find('?');
  while (at != std::string_view::npos) {
    resource.remove_prefix(at + 1);
    at = resource.find_first_of("&;");
    const std::string_view pair = resource.substr(0, at);
    mask_words(text, pair.substr(std::min(pair.find('=') + 1, pair.size())), shortest_in_query);
  }
}

/// C1 controls, and what separates lines or turns their direction (U+0080 to U+009F, U+2028 to U+202E).
bool is_control(std::string_view text) {
  const auto third = text.size() > 2 ? static_cast<unsigned char>(text[2]) : 0U;
  return (text.substr(0, 1) == "\xC2" && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xA0) ||
         (text.substr(0, 2) == "\xE2\x80" && third >= 0xA8 && third <= 0xAE);
}

/// In one line; "" where it is not text.
std::string one_line(std::string_view page) {
  Utf8Validator utf8;
  if (!utf8.feed(page.data(), page.size())) return "";
  std::string line;
  for (std::size_t at = 0; at < page.size(); ++at) {
    const char c = page[at];
    if (std::string_view(" \t\r\n").find(c) != std::string_view::npos) {
      if (!line.empty() && line.back() != ' ') line += ' ';
      continue;
    }
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7F' || is_control(page.substr(at))) return "";
    line += c;
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace

std::string start_of_page(std::string_view body, const Request& request) {
  std::string line = one_line(body);
  if (line.empty() || line.front() == '<')
    return "";  // a page for browsers begins with anything but its reason
  mask_query(line, request.resource);
  for (const auto& header : request.headers) mask_words(line, header.second, shortest_in_headers);
  std::size_t characters = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(line[at]) & 0xC0U) != 0x80U;
    if (begins && ++characters > most_characters) return line.substr(0, at) + "…";
  }
  return line;
}

}  // namespace fastws::engine
