// websocketpp's RFC 6455 processor, driven directly and without its connection class, and its known faults
// mended.
//
// May know: websocketpp, through config.hpp. Only engine.cpp includes it. Promises: bytes in, one message at
// a time out; a length that does not fit the limit is refused when it is announced, however it is spelt; one
// that came whole is not copied.
//
// The connection class around the processor would copy every byte into its own buffer first, keep timers and
// logs, and hide the announced length and the moment of the peer's Close. A transport has nothing left to do
// here.
#pragma once

#include "config.hpp"
#include "outgoing.hpp"

#include <websocketpp/processors/hybi13.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace fastws::engine {

namespace detail {

/// What must exist before websocketpp's processor, which keeps references to it.
struct ProtocolParts {
  explicit ProtocolParts(SharedRoom* room) noexcept : slots(room) {}
  MessageSlots slots;
  RandomSource random;
};

}  // namespace detail

class Protocol final : private detail::ProtocolParts, public websocketpp::processor::hybi13<Config> {
  using Base = websocketpp::processor::hybi13<Config>;

 public:
  enum class Fault : std::uint8_t { none, protocol, utf8, size, length, inflate };

  Protocol(std::size_t max_message_bytes, SharedRoom* room)
      : ProtocolParts(room), Base(false, false, &slots, random), limit_(max_message_bytes) {
    set_max_message_size(max_message_bytes);
  }

  void give_back() { slots.give_back(); }
  void rest() { slots.rest(); }
  /// The server agreed to permessage-deflate.
  void inflate(const DeflateTerms& terms) {
    m_permessage_deflate.enable(terms, limit_);
    // Deflated, a message that does not compress is a little longer than plain. Its own length is still held to the limit.
    set_max_message_size(limit_ + limit_ / kStoredShare + kStoredBytes);
  }

  /// A message that came whole, in one frame.
  struct Whole {
    bool binary;
    std::string_view payload;  // where it was fed
    std::size_t frame_size;
  };
  /// The message that these bytes begin with, when all of it is here and nothing about it is at fault. Most are of this kind,
  /// and the processor's way, step by step and through a copy, was a fifth of the cost of those that nobody handles.
  /// nullopt = anything else, which read() takes or refuses.
  std::optional<Whole> whole_message(std::string_view bytes) {
    namespace frame = websocketpp::frame;
    if (m_state != HEADER_BASIC || m_bytes_needed != frame::BASIC_HEADER_LENGTH || m_data_msg.msg_ptr)
      return {};
    if (bytes.size() < frame::BASIC_HEADER_LENGTH) return {};
    const auto byte = [&](std::size_t index) { return static_cast<std::uint8_t>(bytes[index]); };
    const bool binary = byte(0) == (frame::BHB0_FIN | frame::opcode::binary);
    if (!binary && byte(0) != (frame::BHB0_FIN | frame::opcode::text)) return {};
    std::size_t begin = frame::BASIC_HEADER_LENGTH;
    std::size_t length = byte(1);  // above 127: masked, which a server must not
    if (length == frame::payload_size_code_16bit && bytes.size() >= begin + 2) {
      length = std::size_t{byte(begin)} << 8U | byte(begin + 1);
      begin += 2;
      if (length <= frame::limits::payload_size_basic) return {};
    } else if (length > frame::limits::payload_size_basic) {
      return {};
    }
    if (length > limit_ || length > bytes.size() - begin) return {};
    const std::string_view payload = bytes.substr(begin, length);
    if (!binary && !is_utf8(payload)) return {};
    slots.pass_by();
    return Whole{binary, payload, begin + length};
  }
  /// Reads until a message is whole, the bytes are used up or a fault is found; returns how many were read.
  std::size_t read(const char* data, std::size_t size) {
    std::error_code error;
    // The processor writes into its input only to unmask, and it refuses masked frames before their payload.
    auto* bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(data));
    const std::size_t used = consume(bytes, size, error);
    if (error || m_state == APPLICATION || m_state == READY) judge(error);
    return used;
  }

  [[nodiscard]] Fault fault() const noexcept { return fault_; }
  /// What the processor says about Fault::protocol.
  [[nodiscard]] const std::error_code& error() const noexcept { return error_; }
  /// For Fault::size: what the message would have come to, at least.
  [[nodiscard]] std::uint64_t announced() const noexcept { return announced_; }

 private:
  // What deflate adds at most to data that it stores: 5 bytes in every 16 KiB block, and a few at the end.
  static constexpr std::size_t kStoredShare = 1024;
  static constexpr std::size_t kStoredBytes = 64;

  [[nodiscard]] bool deflated() const { return m_data_msg.msg_ptr && m_data_msg.msg_ptr->get_compressed(); }

  void judge(const std::error_code& error) {
    namespace frame = websocketpp::frame;
    namespace errors = websocketpp::processor::error;
    const bool data_frame = !frame::opcode::is_control(frame::get_opcode(m_basic_header));
    const std::size_t so_far = m_data_msg.msg_ptr ? m_data_msg.msg_ptr->get_payload().size() : 0;
    // The sum of a fragmented message's lengths wraps around in the processor; the length it then waits for
    // does not. Looked at before its own verdict, so that the outcome does not hang on how the bytes were
    // cut.
    const bool waits = m_state == APPLICATION && data_frame;
    const bool unfit = waits && (m_bytes_needed > m_max_message_size ||
                                 (!deflated() && m_bytes_needed > limit_ - std::min(so_far, limit_)));
    const bool ready = !error && m_state == READY && m_current_msg == &m_data_msg;
    if (m_permessage_deflate.fault() != Inflater::Fault::none) {
      announced_ = limit_ + 1;
      fault_ = m_permessage_deflate.fault() == Inflater::Fault::size ? Fault::size : Fault::inflate;
    } else if (unfit || error == errors::make_error_code(errors::message_too_big)) {
      const std::uint64_t length = frame::get_payload_size(m_basic_header, m_extended_header);
      announced_ = length + so_far;
      fault_ = (length >> 63U) != 0 ? Fault::length : Fault::size;
    } else if (error) {
      error_ = error;
      fault_ = error == errors::make_error_code(errors::invalid_utf8) ? Fault::utf8 : Fault::protocol;
    } else if (ready && deflated() && !m_permessage_deflate.finish_message()) {
      fault_ = Fault::inflate;
    } else if (ready && so_far > limit_) {
      announced_ = so_far;
      fault_ = Fault::size;
    } else if (ready && !m_data_msg.validator.complete()) {
      // The processor asks this only of messages in one frame: it looks at the last frame's opcode.
      fault_ = Fault::utf8;
    }
  }

  const std::size_t limit_;
  Fault fault_ = Fault::none;
  std::error_code error_;
  std::uint64_t announced_ = 0;
};

}  // namespace fastws::engine
