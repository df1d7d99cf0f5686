// Reads the server's answer to the opening handshake (RFC 9112): the head, and the start of a rejection's
// body.
//
// May know: the shared error vocabulary; no third-party code. Promises: bytes in any chunking give one
// outcome; never holds more than the limits say; the byte after a 101's head is the first that is not taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../error.hpp"

namespace fastws::engine {

/// Equal but for the case of ASCII letters, as header names are compared.
bool equal_names(std::string_view left, std::string_view right) noexcept;

/// True when the comma-separated list holds the token, in any case.
bool has_token(std::string_view list, std::string_view token) noexcept;

class HttpResponseReader {
 public:
  enum class State : std::uint8_t { head, body, done, malformed };
  static constexpr std::size_t kMaxBody = std::size_t{4} << 10;

  explicit HttpResponseReader(std::size_t max_head_bytes) : max_head_(max_head_bytes) {}

  /// Returns how many bytes belonged to the response. It takes none once the state is done or malformed.
  std::size_t feed(const char* data, std::size_t size);

  [[nodiscard]] State state() const noexcept { return state_; }
  /// What is wrong with a malformed response: the end of a sentence that begins "the server's response ".
  [[nodiscard]] const std::string& complaint() const noexcept { return complaint_; }
  [[nodiscard]] bool began() const noexcept { return head_bytes_ != 0; }

  [[nodiscard]] int status() const noexcept { return status_; }
  [[nodiscard]] std::string& reason() noexcept { return reason_; }
  [[nodiscard]] Headers& headers() noexcept { return headers_; }
  [[nodiscard]] std::string& body() noexcept { return body_; }

  /// The values of all headers of that name, joined with ", " (RFC 9110 section 5.3).
  [[nodiscard]] std::string header(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const noexcept;

 private:
  enum class Body : std::uint8_t { until_end, sized, chunk_size, chunk_data, chunk_end };

  void take_line(std::string_view line);
  void take_status(std::string_view line);
  void take_header(std::string_view line);
  void finish_head();
  std::size_t feed_body(const char* data, std::size_t size);
  void take_chunk_size();
  void malformed(std::string complaint);

  std::size_t max_head_;
  std::size_t head_bytes_ = 0;
  State state_ = State::head;
  bool in_headers_ = false;
  std::string line_;
  std::string complaint_;
  int status_ = 0;
  std::string reason_;
  Headers headers_;
  std::string body_;
  Body framing_ = Body::until_end;
  std::uint64_t left_ = 0;
};

}  // namespace fastws::engine
