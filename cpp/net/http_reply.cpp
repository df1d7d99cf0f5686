// Line by line; the status line is checked while it grows, so that a server of another protocol is known at once.
#include "http_reply.hpp"

#include <algorithm>
#include <array>

#include "../ascii.hpp"

namespace fastws::net {

namespace {

constexpr std::string_view version_begin = "HTTP/1.";
constexpr std::size_t status_begin = 9;   // behind "HTTP/1.1 "
constexpr std::size_t reason_begin = 12;  // behind the status

/// Tabs, spaces, visible ASCII, and bytes above it (obs-text).
bool is_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

}  // namespace

HttpReply::Step HttpReply::refuse(const char* why) {
  fault_ = why;
  return Step::bad;
}

HttpReply::Step HttpReply::feed(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const char c = bytes[at];
    if (++taken_ > most_bytes) return refuse("the head of its answer is longer than 16 KiB");
    if (return_seen_) {
      if (c != '\n') return refuse("a carriage return stands inside a line");
      return_seen_ = false;
      const Step step = line_ended();
      has_more_ = step == Step::done && at + 1 < bytes.size();
      if (step != Step::more) return step;
    } else if (c == '\r') {
      return_seen_ = true;
    } else {
      line_ += c;
      if (!in_headers_ && !may_begin_status_line()) return refuse("its answer does not begin with HTTP/1.");
      if (!is_text(std::string_view(&c, 1))) return refuse("a control character stands in its answer");
    }
  }
  return Step::more;
}

bool HttpReply::may_begin_status_line() const {
  const std::size_t size = std::min(line_.size(), version_begin.size());
  return std::string_view(line_).substr(0, size) == version_begin.substr(0, size);
}

HttpReply::Step HttpReply::line_ended() {
  if (!in_headers_) {
    if (!read_status_line()) return refuse("its status line is none of HTTP/1");
    in_headers_ = true;
  } else if (!line_.empty()) {
    if (!read_header()) return refuse("a line of its answer's head is no header");
  } else if (status_ >= 100 && status_ <= 199 && status_ != 101) {
    in_headers_ = false;  // an interim answer; the final one follows (RFC 9110 section 15.2)
    headers_.clear();
  } else {
    return Step::done;
  }
  line_.clear();
  return Step::more;
}

bool HttpReply::read_status_line() {
  const std::string_view line = line_;
  if (line.size() < reason_begin || line.substr(0, version_begin.size()) != version_begin) return false;
  if (!is_digit(line[7]) || line[8] != ' ') return false;
  const std::string_view digits = line.substr(status_begin, 3);
  if (!std::all_of(digits.begin(), digits.end(), is_digit) || digits[0] == '0') return false;
  // The space before the reason is required (RFC 9112 section 4), and often missing where there is no reason.
  if (line.size() > reason_begin && line[reason_begin] != ' ') return false;
  status_ = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  reason_ = trimmed(line.substr(reason_begin));
  return true;
}

bool HttpReply::read_header() {
  const std::string_view line = line_;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
  headers_.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  return true;
}

std::string HttpReply::status_text() const {
  constexpr std::size_t most_shown = 80;
  std::string text = std::to_string(status_);
  if (!reason_.empty()) text += " " + reason_.substr(0, most_shown);
  std::replace_if(text.begin(), text.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

}  // namespace fastws::net
