// The WebSocket protocol (RFC 6455), client side, without I/O: bytes in, whole messages out.
//
// May know: the shared error vocabulary. This header shows no third-party type; engine.cpp alone includes websocketpp.
// Promises: no sockets, timers, threads or clock; every Listener call happens inside start(), feed(), end() or close();
// exactly one of opened/rejected, then at most one of closed/failed, and nothing after that; never throws.
// Not thread-safe: it belongs to the I/O thread. Senders use engine/outgoing, which does not touch it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../error.hpp"
#include "deflate_terms.hpp"

namespace fastws::engine {

enum class Opcode : std::uint8_t { text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// What the opening handshake says (RFC 6455 section 4.1). The caller has checked every string for CR, LF and NUL.
struct Request {
  std::string host;      // the Host header's value: brackets and a non-default port included
  std::string resource;  // path and query, begins with "/"
  Headers headers;       // extra headers, sent as given
  std::vector<std::string> subprotocols;
  std::string origin;      // empty = not sent
  std::string user_agent;  // empty = not sent
  DeflateOptions deflate = {};
};

/// The server's answer, whether it opened the connection or not.
struct Response {
  int status = 0;
  std::string reason;
  Headers headers;
  std::string body;  // at most the first 4 KiB, only of a rejection
  std::string subprotocol;
  std::optional<DeflateTerms> deflate;  // nullopt: messages are sent plain
};

struct Limits {
  std::size_t max_message_bytes = std::size_t{64} << 20;
  std::size_t max_response_bytes = std::size_t{64} << 10;  // of the whole HTTP response head
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual void opened(Response response) = 0;
  /// The handshake is over and there is no WebSocket. `failure` says why; the response is inside it as well.
  virtual void rejected(Failure failure) = 0;
  /// A whole message. Text is valid UTF-8. The payload is valid until the call returns; a message that came whole lies where
  /// it was fed.
  virtual void message(Opcode opcode, std::string_view payload) = 0;
  virtual void pong(std::string_view payload) = 0;
  /// The peer's Close frame arrived (code 1005: it carried none). Our answer, when one is due, is in output().
  virtual void closed(std::uint16_t code, std::string_view reason) = 0;
  /// We found the peer breaking the protocol (1002), bad UTF-8 (1007) or a limit passed (1009). Our Close frame is in
  /// output(); after it is written the transport is to be dropped.
  virtual void failed(std::uint16_t code, Failure failure) = 0;
};

/// Room for the messages that the engines of one thread are reading: between two messages an engine holds none, so a
/// thousand idle connections hold no more than one.
class SharedRoom {
 public:
  /// The largest that is shared. What grew beyond that stays with its engine, where the next message may be as large.
  static constexpr std::size_t most_bytes = std::size_t{256} << 10;

  /// Room is moved to `text`, which has none, if there is some.
  void lend(std::string& text);
  /// The room of `text`, whose content is not needed any more, is kept for the next, or freed.
  void take_back(std::string& text);

 private:
  static constexpr std::size_t most_rooms = 4;  // more than so many messages seldom come in parts at once

  std::vector<std::string> rooms_;
};

class Engine {
 public:
  /// `room`: nullptr = it keeps room of its own.
  Engine(const Request& request, const Limits& limits, Listener& listener, SharedRoom* room = nullptr);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Puts the opening request into output().
  void start();
  /// Takes bytes from the transport, in any chunking. What is fed after the end is ignored.
  void feed(const char* data, std::size_t size);
  /// The transport ended. Before the handshake is over: rejected(). Later: nothing is reported, the caller knows.
  void end();
  /// Puts our Close frame into output() (RFC 6455 section 5.5.1). The reason is cut at 123 bytes of whole code points.
  /// Before the handshake is over, or after a Close frame was put there already, nothing happens.
  void close(std::uint16_t code, std::string_view reason);

  /// Bytes due on the wire (request, pongs, Close frames): the caller takes them all and leaves it empty.
  [[nodiscard]] std::string& output() noexcept;
  /// Whether Pings are answered; they are until told otherwise.
  void answer_pings(bool on) noexcept;
  /// Nothing has come for a while: large buffers are given back.
  void give_back();
  /// A Close frame went both ways, or the connection failed: only the transport remains to be ended.
  [[nodiscard]] bool finished() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fastws::engine
