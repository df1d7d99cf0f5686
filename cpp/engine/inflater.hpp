// Inflating received messages (RFC 7692 section 7.2.2), as the permessage-deflate policy that websocketpp asks for.
//
// May know: zlib, through its .cpp. Included by this folder's protocol only. Promises: never more than the limit is
// written, however little came in; a stream that ends with a final block goes on with the next message, as it may; data
// that is cut off or broken is a fault, never an empty or a shorter message; no memory before the first use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "deflate_terms.hpp"

namespace fastws::engine {

class Inflater {
 public:
  enum class Fault : std::uint8_t { none, data, size };

  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// The server agreed. `limit`: bytes of one message after inflating.
  void enable(const DeflateTerms& terms, std::size_t limit);
  /// After a compressed message is whole and its trailer was inflated. False = it was cut off or broken.
  [[nodiscard]] bool finish_message();
  [[nodiscard]] Fault fault() const noexcept { return fault_; }

  // What websocketpp's processor calls. The negotiation is ours (deflate_terms), so it is told of none.
  [[nodiscard]] bool is_implemented() const noexcept { return enabled_; }
  [[nodiscard]] bool is_enabled() const noexcept { return enabled_; }
  [[nodiscard]] std::string generate_offer() const { return {}; }
  template <class Attributes>
  std::pair<std::error_code, std::string> negotiate(const Attributes&) {
    return {};
  }
  std::error_code init(bool) { return {}; }
  std::error_code compress(const std::string&, std::string&) { return {}; }  // engine/deflater compresses
  /// Appends what `size` more bytes of the message inflate to. Throws std::bad_alloc.
  std::error_code decompress(const std::uint8_t* data, std::size_t size, std::string& out);

 private:
  class Stream;
  std::error_code fail(Fault fault);
  std::error_code inflate(const std::uint8_t* data, std::size_t size, std::string& out);

  std::unique_ptr<Stream> stream_;
  std::size_t limit_ = 0;
  bool enabled_ = false;
  bool takeover_ = true;
  Fault fault_ = Fault::none;
  bool wrote_ = false;         // the last call wrote something
  bool fresh_ = false;         // a final block ended the stream, and nothing came after it
  bool held_trailer_ = false;  // four bytes that look like the trailer came right behind a final block
};

}  // namespace fastws::engine
