// A proxy's answer to CONNECT: the head of an HTTP response, read strictly (RFC 9112 sections 4 and 5).
//
// May know: the shared error vocabulary. Promises: takes bytes in pieces of any size; judges each byte once; holds at most
// 16 KiB; what is no HTTP is refused at its first wrong byte, not when the deadline passes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "../error.hpp"

namespace fastws::net {

class HttpReply {
 public:
  enum class Step { more, done, bad };

  static constexpr std::size_t most_bytes = 16384;  // of all heads together, those of 1xx included

  /// After `done` or `bad` nothing more may be fed.
  Step feed(std::string_view bytes);

  [[nodiscard]] int status() const noexcept { return status_; }
  /// "407 Proxy Authentication Required": what people may see, ASCII only, not long.
  [[nodiscard]] std::string status_text() const;
  [[nodiscard]] const Headers& headers() const noexcept { return headers_; }
  /// After `done`: bytes came behind the head.
  [[nodiscard]] bool has_more() const noexcept { return has_more_; }
  /// After `bad`: what is wrong.
  [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

 private:
  Step line_ended();
  Step refuse(const char* why);
  [[nodiscard]] bool may_begin_status_line() const;
  bool read_status_line();
  bool read_header();

  std::string line_;  // without its CRLF
  std::size_t taken_ = 0;
  bool in_headers_ = false;
  bool return_seen_ = false;  // the CR; only its LF may follow
  bool has_more_ = false;
  int status_ = 0;
  std::string reason_;
  Headers headers_;
  std::string fault_;
};

}  // namespace fastws::net
