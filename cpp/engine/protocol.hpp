// websocketpp's RFC 6455 processor, driven directly and without its connection class, and its known faults
// mended.
//
// May know: websocketpp, through config.hpp. Only engine.cpp includes it. Promises: bytes in, one message at
// a time out; a length that does not fit the limit is refused when it is announced, however it is spelt.
//
// The connection class around the processor would copy every byte into its own buffer first, keep timers and
// logs, and hide the announced length and the moment of the peer's Close. A transport has nothing left to do
// here.
#pragma once

#include "config.hpp"

#include <websocketpp/processors/hybi13.hpp>

#include <cstdint>
#include <string>
#include <system_error>

namespace fastws::engine {

namespace detail {

/// What must exist before websocketpp's processor, which keeps references to it.
struct ProtocolParts {
  MessageSlots slots;
  RandomSource random;
};

}  // namespace detail

class Protocol final : private detail::ProtocolParts, public websocketpp::processor::hybi13<Config> {
  using Base = websocketpp::processor::hybi13<Config>;

 public:
  enum class Fault : std::uint8_t { none, protocol, utf8, size, length };

  explicit Protocol(std::size_t max_message_bytes) : Base(false, false, &slots, random) {
    set_max_message_size(max_message_bytes);
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
  void judge(const std::error_code& error) {
    namespace frame = websocketpp::frame;
    namespace errors = websocketpp::processor::error;
    const bool data_frame = !frame::opcode::is_control(frame::get_opcode(m_basic_header));
    // The sum of a fragmented message's lengths wraps around in the processor; the length it then waits for
    // does not. Looked at before its own verdict, so that the outcome does not hang on how the bytes were
    // cut.
    const bool unfit = m_state == APPLICATION && data_frame && m_bytes_needed > m_max_message_size;
    if (unfit || error == errors::make_error_code(errors::message_too_big)) {
      const std::uint64_t length = frame::get_payload_size(m_basic_header, m_extended_header);
      announced_ = length + (m_data_msg.msg_ptr ? m_data_msg.msg_ptr->get_payload().size() : 0);
      fault_ = (length >> 63U) != 0 ? Fault::length : Fault::size;
    } else if (error) {
      error_ = error;
      fault_ = error == errors::make_error_code(errors::invalid_utf8) ? Fault::utf8 : Fault::protocol;
    } else if (m_state == READY && m_current_msg == &m_data_msg && !m_data_msg.validator.complete()) {
      // The processor asks this only of messages in one frame: it looks at the last frame's opcode.
      fault_ = Fault::utf8;
    }
  }

  Fault fault_ = Fault::none;
  std::error_code error_;
  std::uint64_t announced_ = 0;
};

}  // namespace fastws::engine
