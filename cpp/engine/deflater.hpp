// Deflating sent messages (RFC 7692 section 7.2.1) into frames.
//
// May know: zlib, through its .cpp; engine/outgoing. Promises: belongs to whoever sends, one message at a time, and never
// touches the receiving half; no memory before the first message worth it; every message can be read by itself in order.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "deflate_terms.hpp"
#include "engine.hpp"

namespace fastws::engine {

class Deflater {
 public:
  Deflater(const DeflateTerms& terms, const DeflateOptions& options);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// Appends the message as one masked frame, deflated when that is worth it. Throws std::bad_alloc.
  void append_frame(std::string& out, Opcode opcode, std::string_view payload);
  /// What was framed since the last message that is sent goes nowhere: the next one must not refer to it.
  void forget() noexcept;

 private:
  class Stream;
  void deflate(std::string_view payload);

  std::unique_ptr<Stream> stream_;
  const int level_;
  const int bits_;
  const bool takeover_;
  const std::size_t threshold_;
  std::string deflated_;
};

}  // namespace fastws::engine
