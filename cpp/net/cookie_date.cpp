// Section 5.1.1: a date is whatever has a time, a day, a month's name and a year in it, in any order.
#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>

#include "../ascii.hpp"
#include "cookies.hpp"

namespace fastws::net {

namespace {

bool is_delimiter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x09 || (byte >= 0x20 && byte <= 0x2F) || (byte >= 0x3B && byte <= 0x40) ||
         (byte >= 0x5B && byte <= 0x60) || (byte >= 0x7B && byte <= 0x7E);
}

/// `least` to `most` digits, then the end or something that is no digit.
bool number(std::string_view& text, std::size_t least, std::size_t most, int& out) {
  std::size_t count = 0;
  out = 0;
  for (; count < text.size() && is_digit(text[count]); ++count) {
    if (count == most) return false;
    out = out * 10 + (text[count] - '0');
  }
  text.remove_prefix(count);
  return count >= least;
}

bool time_of(std::string_view token, std::tm& date) {
  if (!number(token, 1, 2, date.tm_hour) || token.empty() || token[0] != ':') return false;
  token.remove_prefix(1);
  if (!number(token, 1, 2, date.tm_min) || token.empty() || token[0] != ':') return false;
  token.remove_prefix(1);
  return number(token, 1, 2, date.tm_sec);
}

int month_of(std::string_view token) {
  constexpr std::string_view names = "janfebmaraprmayjunjulaugsepoctnovdec";
  if (token.size() < 3) return -1;
  std::array<char, 3> name{};
  std::transform(token.begin(), token.begin() + 3, name.begin(), lower);
  const std::size_t found = names.find(std::string_view(name.data(), 3));
  return found == std::string_view::npos || found % 3 != 0 ? -1 : static_cast<int>(found / 3);
}

}  // namespace

bool parse_cookie_date(std::string_view text, double& seconds) {
  std::tm date{};
  bool has_time = false;
  bool has_day = false;
  bool has_month = false;
  bool has_year = false;
  int year = 0;
  while (!text.empty()) {
    std::size_t size = 0;
    while (size < text.size() && !is_delimiter(text[size])) ++size;
    const std::string_view token = text.substr(0, size);
    text.remove_prefix(size == text.size() ? size : size + 1);
    std::string_view rest = token;
    if (token.empty()) continue;
    if (!has_time && time_of(token, date)) {
      has_time = true;
    } else if (!has_day && number(rest, 1, 2, date.tm_mday)) {
      has_day = true;
    } else if (!has_month && month_of(token) >= 0) {
      date.tm_mon = month_of(token);
      has_month = true;
    } else if (rest = token; !has_year && number(rest, 2, 4, year)) {
      has_year = true;
    }
  }
  if (year >= 70 && year <= 99) year += 1900;
  if (year >= 0 && year <= 69) year += 2000;
  if (!has_time || !has_day || !has_month || !has_year || date.tm_mday < 1 || date.tm_mday > 31 ||
      year < 1601 || date.tm_hour > 23 || date.tm_min > 59 || date.tm_sec > 59) {
    return false;
  }
  date.tm_year = year - 1900;
  const int day = date.tm_mday;
  seconds = static_cast<double>(::timegm(&date));
  return date.tm_mday == day;  // no 31st of February
}

}  // namespace fastws::net
