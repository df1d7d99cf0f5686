// The buffers that frames are collected in, in the shape websocketpp asks of a message and its manager.
//
// May know: websocketpp's opcodes. Promises: receiving costs no allocation once the buffers have grown; an
// announced length reserves at most 64 KiB before bytes have come; a buffer that one large message left
// behind is given back; between two messages a small one is everybody's (SharedRoom).
#pragma once

#include <websocketpp/frame.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

#include "engine.hpp"

namespace fastws::engine {

class Message {
 public:
  /// Non-owning: both messages a connection can be reading at once live in its MessageSlots.
  class Pointer {
   public:
    Pointer() = default;
    explicit Pointer(Message* message) noexcept : message_(message) {}
    explicit operator bool() const noexcept { return message_ != nullptr; }
    Message* operator->() const noexcept { return message_; }
    void reset() noexcept { message_ = nullptr; }

   private:
    Message* message_ = nullptr;
  };
  using ptr = Pointer;  // the name websocketpp looks for

  void begin(websocketpp::frame::opcode::value opcode, std::size_t announced) {
    opcode_ = opcode;
    compressed_ = false;
    begun_ = true;
    pass_by();
    payload_.reserve(std::min(announced, kReserve));
  }

  /// The message before this one is not needed any more, and a large buffer that was needed long ago is not either.
  void pass_by() {
    const bool small = payload_.size() < payload_.capacity() / 8;
    payload_.clear();
    idle_ = small && payload_.capacity() > SharedRoom::most_bytes ? idle_ + 1 : 0;
    if (idle_ == kPatience) {
      std::string().swap(payload_);
      idle_ = 0;
    }
  }
  /// The message was handed on.
  void end() noexcept { begun_ = false; }
  /// Nothing has come for a while: its room is given back, unless another message is on its way.
  void give_back() {
    if (!begun_) std::string().swap(payload_);
  }
  void borrow(SharedRoom& room) {
    if (payload_.capacity() <= kInside) room.lend(payload_);
  }
  void rest(SharedRoom& room) {
    const std::size_t capacity = payload_.capacity();
    if (!begun_ && capacity > kInside && capacity <= SharedRoom::most_bytes) room.take_back(payload_);
  }

  [[nodiscard]] websocketpp::frame::opcode::value get_opcode() const noexcept { return opcode_; }
  [[nodiscard]] bool get_compressed() const noexcept { return compressed_; }
  void set_compressed(bool value) noexcept { compressed_ = value; }
  [[nodiscard]] std::string& get_raw_payload() noexcept { return payload_; }
  [[nodiscard]] const std::string& get_payload() const noexcept { return payload_; }

  // websocketpp's sending half is compiled with the receiving one. It is never run: engine/outgoing frames
  // messages.
  [[nodiscard]] bool get_fin() const noexcept { return true; }
  void set_header(const std::string&) noexcept {}
  void set_opcode(websocketpp::frame::opcode::value opcode) noexcept { opcode_ = opcode; }
  void set_prepared(bool) noexcept {}

 private:
  static constexpr std::size_t kReserve = std::size_t{64} << 10;
  static constexpr std::size_t kInside = 15;  // what a string holds without room elsewhere
  static constexpr int kPatience = 64;  // so that large messages among small ones do not allocate every time

  websocketpp::frame::opcode::value opcode_ = websocketpp::frame::opcode::text;
  bool compressed_ = false;
  bool begun_ = false;
  int idle_ = 0;  // messages in a row that used little of a large buffer
  std::string payload_;
};

/// A data message may be interrupted by a control frame, and by nothing else (RFC 6455 section 5.4): two
/// slots do.
class MessageSlots {
 public:
  using ptr = MessageSlots*;  // owned by the Protocol that reads into it

  explicit MessageSlots(SharedRoom* room) noexcept : room_(room) {}

  Message::ptr get_message(websocketpp::frame::opcode::value opcode, std::size_t size) {
    Message& slot = websocketpp::frame::opcode::is_control(opcode) ? control_ : data_;
    if (room_ != nullptr && &slot == &data_) data_.borrow(*room_);
    slot.begin(opcode, size);
    return Message::ptr(&slot);
  }
  void give_back() { data_.give_back(); }
  /// A message came that needed no slot.
  void pass_by() { data_.pass_by(); }
  /// All bytes at hand are read.
  void rest() {
    if (room_ != nullptr) data_.rest(*room_);
  }

 private:
  SharedRoom* const room_;
  Message data_;
  Message control_;
};

}  // namespace fastws::engine
