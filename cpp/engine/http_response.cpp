// Lines first, then the body by its framing. Interim responses (1xx but 101) are read and forgotten.
#include "http_response.hpp"

#include <algorithm>
#include <cstring>

#include "../ascii.hpp"

namespace fastws::engine {
namespace {

// An alert or a handshake message (RFC 8446 section 5.1); no text begins with either.
bool is_tls_record(char first) noexcept { return first == '\x15' || first == '\x16'; }

// A whole number of at most 18 digits in the given base; false = it is none.
bool parse_number(std::string_view text, unsigned base, std::uint64_t& out) noexcept {
  if (text.empty() || text.size() > (base == 16 ? 15U : 18U)) return false;
  out = 0;
  for (const char c : text) {
    const char small = lower(c);
    unsigned digit = 99;
    if (is_digit(c)) digit = static_cast<unsigned>(c - '0');
    if (base == 16 && small >= 'a' && small <= 'f') digit = static_cast<unsigned>(small - 'a') + 10;
    if (digit >= base) return false;
    out = out * base + digit;
  }
  return true;
}

}  // namespace

bool equal_names(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(),
                                                   [](char a, char b) { return lower(a) == lower(b); });
}

bool has_token(std::string_view list, std::string_view token) noexcept {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equal_names(trimmed(list.substr(0, comma)), token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

std::size_t HttpResponseReader::feed(const char* data, std::size_t size) {
  std::size_t used = 0;
  if (state_ == State::head && head_bytes_ == 0 && size > 0 && is_tls_record(*data)) {
    malformed("is TLS, not HTTP: should the URL begin with wss://?");
  }
  while (state_ == State::head && used < size) {
    const std::size_t room = std::min(size - used, max_head_ - head_bytes_);
    const void* newline = room == 0 ? nullptr : std::memchr(data + used, '\n', room);
    const std::size_t count =
        newline == nullptr ? room
                           : static_cast<std::size_t>(static_cast<const char*>(newline) - (data + used)) + 1;
    line_.append(data + used, count);
    head_bytes_ += count;
    used += count;
    if (newline != nullptr) {
      std::string_view line = line_;
      line.remove_suffix(line.size() >= 2 && line[line.size() - 2] == '\r' ? 2 : 1);
      take_line(line);
      line_.clear();
    } else if (head_bytes_ >= max_head_) {
      malformed("has a head of more than " + std::to_string(max_head_) + " bytes (max_response_bytes)");
    }
  }
  while (state_ == State::body && used < size) used += feed_body(data + used, size - used);
  return used;
}

void HttpResponseReader::take_line(std::string_view line) {
  if (!in_headers_) {
    take_status(line);
  } else if (line.empty()) {
    finish_head();
  } else {
    take_header(line);
  }
}

// "HTTP/1.1 101 Switching Protocols"; the reason phrase, and the space before it, may be missing.
void HttpResponseReader::take_status(std::string_view line) {
  const bool good = line.size() >= 12 && line.substr(0, 7) == "HTTP/1." && is_digit(line[7]) &&
                    line[8] == ' ' && line[9] >= '1' && line[9] <= '9' && is_digit(line[10]) &&
                    is_digit(line[11]) && (line.size() == 12 || line[12] == ' ');
  if (!good) return malformed("is not HTTP/1.1: is this a web server's port?");
  status_ = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  reason_ = trimmed(line.substr(12));
  in_headers_ = true;
}

void HttpResponseReader::take_header(std::string_view line) {
  if (line.find('\0') != std::string_view::npos || line.find('\r') != std::string_view::npos) {
    return malformed("has a header line with a control character in it");
  }
  if (line.front() == ' ' || line.front() == '\t') {  // obsolete line folding, RFC 9112 section 5.2
    if (headers_.empty()) return malformed("begins with a folded header line");
    headers_.back().second.append(" ").append(trimmed(line));
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return malformed("has a header line without a name");
  }
  headers_.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
}

void HttpResponseReader::finish_head() {
  if (status_ == 101) {
    state_ = State::done;
    return;
  }
  if (status_ < 200) {  // RFC 9110 section 15.2: the final response follows
    in_headers_ = false;
    headers_.clear();
    return;
  }
  state_ = State::body;
  // RFC 9112 section 6.3, in its order.
  if (status_ == 204 || status_ == 304) {
    state_ = State::done;
  } else if (has_token(header("Transfer-Encoding"), "chunked")) {
    framing_ = Body::chunk_size;
  } else if (parse_number(header("Content-Length"), 10, left_)) {
    framing_ = Body::sized;
    if (left_ == 0) state_ = State::done;
  }
}

std::size_t HttpResponseReader::feed_body(const char* data, std::size_t size) {
  switch (framing_) {
    case Body::until_end:
    case Body::sized:
    case Body::chunk_data: {
      std::size_t count = std::min(size, kMaxBody - body_.size());
      if (framing_ != Body::until_end)
        count = static_cast<std::size_t>(std::min<std::uint64_t>(count, left_));
      body_.append(data, count);
      left_ -= framing_ == Body::until_end ? 0 : count;
      if (body_.size() == kMaxBody || (framing_ == Body::sized && left_ == 0)) {
        state_ = State::done;
      } else if (framing_ == Body::chunk_data && left_ == 0) {
        framing_ = Body::chunk_end;
      }
      return count;
    }
    case Body::chunk_size:
    case Body::chunk_end: break;
  }
  // The line with a chunk's size, or the empty one after its data.
  const char c = *data;
  if (c != '\n') {
    line_.push_back(c);
    if (line_.size() > 256) state_ = State::done;  // not chunks: what has been read must do
  } else if (framing_ == Body::chunk_end) {
    line_.clear();
    framing_ = Body::chunk_size;
  } else {
    take_chunk_size();
    line_.clear();
  }
  return 1;
}

void HttpResponseReader::take_chunk_size() {
  std::string_view size = line_;
  size = size.substr(0, std::min(size.find(';'), size.size()));
  if (!size.empty() && size.back() == '\r') size.remove_suffix(1);
  if (!parse_number(trimmed(size), 16, left_) || left_ == 0) {
    state_ = State::done;  // the last chunk; trailers are of no interest
  } else {
    framing_ = Body::chunk_data;
  }
}

void HttpResponseReader::malformed(std::string complaint) {
  state_ = State::malformed;
  complaint_ = std::move(complaint);
}

std::string HttpResponseReader::header(std::string_view name) const {
  std::string all;
  for (const auto& [key, value] : headers_) {
    if (!equal_names(key, name)) continue;
    if (!all.empty()) all += ", ";
    all += value;
  }
  return all;
}

std::size_t HttpResponseReader::count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(std::count_if(
      headers_.begin(), headers_.end(), [&](const auto& header) { return equal_names(header.first, name); }));
}

}  // namespace fastws::engine
