// The engine: handshake, then frames, then the closing handshake, each step reported once.
//
// websocketpp makes the nonce, checks the accept key, reads frames and Close payloads (engine/protocol); what
// it says is turned into Listener calls here. Nothing may be thrown out of the public functions.
#include "engine.hpp"

#include "handshake.hpp"
#include "outgoing.hpp"
#include "protocol.hpp"

#include <new>
#include <utility>

namespace fastws::engine {
namespace {

namespace opcode = websocketpp::frame::opcode;
namespace close_code = websocketpp::close::status;

constexpr std::uint16_t kProtocolError = close_code::protocol_error;
constexpr std::uint16_t kInvalidPayload = close_code::invalid_payload;
constexpr std::uint16_t kTooBig = close_code::message_too_big;
constexpr int kSwitchingProtocols = 101;
constexpr std::size_t kMaxReason = 123;  // RFC 6455 section 5.5: 125 bytes of payload, 2 of them the code

// At most kMaxReason bytes, cut between code points; nothing at all of what is not UTF-8.
std::string_view fitting(std::string_view reason) {
  if (!is_utf8(reason)) return {};
  if (reason.size() <= kMaxReason) return reason;
  std::size_t end = kMaxReason;
  while ((static_cast<unsigned char>(reason[end]) & 0xC0U) == 0x80U) --end;
  return reason.substr(0, end);
}

void append_close(std::string& out, std::uint16_t code, std::string_view reason) {
  std::string payload;
  // A code that must not be on the wire (RFC 6455 section 7.4.1) leaves a Close without one.
  if (!close_code::invalid(code) && !close_code::reserved(code)) {
    payload.push_back(static_cast<char>(code >> 8U));
    payload.push_back(static_cast<char>(code & 0xFFU));
    payload.append(fitting(reason));
  }
  append_frame(out, Opcode::close, payload);
}

}  // namespace

void SharedRoom::lend(std::string& text) {
  if (rooms_.empty()) return;
  text = std::move(rooms_.back());
  rooms_.pop_back();
}

void SharedRoom::take_back(std::string& text) {
  std::string room = std::move(text);
  text = {};
  if (rooms_.size() == most_rooms) return;
  room.clear();
  rooms_.push_back(std::move(room));
}

class Engine::Impl {
 public:
  Impl(const Request& request, const Limits& limits, Listener& listener, SharedRoom* room)
      : limits_(limits),
        listener_(listener),
        handshake_(std::make_unique<Handshake>(request, limits.max_response_bytes)),
        protocol_(limits.max_message_bytes, room) {}

  void start() {
    if (state_ != State::idle) return;
    state_ = State::handshake;
    guarded([&] {
      const Request& request = handshake_->request;
      const auto uri = std::make_shared<websocketpp::uri>(false, "", std::uint16_t{80}, request.resource);
      if (protocol_.client_handshake_request(handshake_->sent, uri, request.subprotocols)) {
        return reject(broken_handshake("The opening request could not be made."));
      }
      output_ += compose_request(request, handshake_->sent.get_header("Sec-WebSocket-Key"),
                                 compose_deflate_offer(request.deflate));
    });
  }

  void feed(const char* data, std::size_t size) {
    guarded([&] {
      if (state_ == State::handshake) {
        HttpResponseReader& response = handshake_->response;
        const std::size_t used = response.feed(data, size);
        if (response.state() == HttpResponseReader::State::malformed) {
          return reject(broken_handshake("the server's response " + response.complaint()));
        }
        if (response.state() == HttpResponseReader::State::done) judge_response();
        data += used;
        size -= used;
      }
      if (state_ == State::open) read_frames(data, size);
    });
  }

  void end() {
    if (state_ == State::open) state_ = State::over;
    if (state_ != State::handshake) return;
    guarded([&] {
      HttpResponseReader& response = handshake_->response;
      if (response.state() == HttpResponseReader::State::body)
        return reject(rejection_of(response, handshake_->request));
      reject(broken_handshake(response.began()
                                  ? "the server ended the connection in the middle of its response"
                                  : "the server ended the connection without a response"));
    });
  }

  void close(std::uint16_t code, std::string_view reason) {
    if (state_ != State::open || close_sent_) return;
    guarded([&] { send_close(code, reason); });
  }

  [[nodiscard]] std::string& output() noexcept { return output_; }
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  void answer_pings(bool on) noexcept { answers_pings_ = on; }
  void give_back() {
    protocol_.give_back();
    if (output_.empty()) std::string().swap(output_);  // the request was in it
  }

 private:
  enum class State : std::uint8_t { idle, handshake, open, over };

  /// What only the opening handshake needs.
  struct Handshake {
    Handshake(const Request& asked, std::size_t max_response_bytes)
        : request(asked), response(max_response_bytes) {}
    const Request request;
    Config::request_type sent;
    HttpResponseReader response;
  };

  // Memory may run out anywhere below; whoever feeds an I/O loop must not meet the exception.
  template <typename Step>
  void guarded(Step step) noexcept {
    try {
      step();
    } catch (const std::exception&) {
      abandon();
    }
  }

  void abandon() noexcept {
    const State before = state_;
    state_ = State::over;
    finished_ = true;
    if (before == State::over) return;
    Failure failure;
    failure.phase = before == State::open ? Phase::limit : Phase::http;
    try {
      failure.message = "There was not enough memory to go on with the connection.";
      if (before == State::open && !close_sent_) send_close(kTooBig, "out of memory");
    } catch (const std::exception&) {
      // The report goes out without its sentence, or without a Close frame.
    }
    if (before == State::open) return listener_.failed(kTooBig, std::move(failure));
    listener_.rejected(std::move(failure));
  }

  void send_close(std::uint16_t code, std::string_view reason) {
    append_close(output_, code, reason);
    close_sent_ = true;
  }

  Failure broken_handshake(std::string message) {
    Failure failure;
    failure.phase = Phase::http;
    failure.message = std::move(message);
    return failure;
  }

  void reject(Failure failure) {
    state_ = State::over;
    finished_ = true;
    listener_.rejected(std::move(failure));
  }

  void judge_response() {
    HttpResponseReader& answer = handshake_->response;
    const Request& request = handshake_->request;
    if (answer.status() != kSwitchingProtocols) return reject(rejection_of(answer, request));
    std::string fault = fault_of_upgrade(answer, request.subprotocols);
    DeflateAnswer deflate;
    if (fault.empty()) {
      deflate = judge_deflate_answer(answer.header("Sec-WebSocket-Extensions"), request.deflate);
      fault = deflate.fault;
    }
    if (fault.empty() && !accept_key_fits()) {
      fault =
          "the server's Sec-WebSocket-Accept header does not answer our key: "
          "something in between is not a WebSocket server";
    }
    if (!fault.empty()) {
      Failure failure = broken_handshake(std::move(fault));
      failure.definitive = true;
      failure.headers = std::move(answer.headers());
      return reject(std::move(failure));
    }
    state_ = State::open;
    Response response;
    response.status = answer.status();
    response.reason = std::move(answer.reason());
    response.subprotocol = answer.header("Sec-WebSocket-Protocol");
    response.headers = std::move(answer.headers());
    response.deflate = deflate.terms;
    if (deflate.terms) protocol_.inflate(*deflate.terms);
    handshake_.reset();
    listener_.opened(std::move(response));
  }

  bool accept_key_fits() {
    Config::response_type response;
    response.set_status(websocketpp::http::status_code::switching_protocols);
    for (const char* name : {"Upgrade", "Connection", "Sec-WebSocket-Accept"}) {
      response.replace_header(name, handshake_->response.header(name));
    }
    return !protocol_.validate_server_handshake_response(handshake_->sent, response);
  }

  void read_frames(const char* data, std::size_t size) {
    while (size != 0 && state_ == State::open) {
      if (const auto here = protocol_.whole_message({data, size})) {
        data += here->frame_size;
        size -= here->frame_size;
        listener_.message(here->binary ? Opcode::binary : Opcode::text, here->payload);
        continue;
      }
      const std::size_t used = protocol_.read(data, size);
      data += used;
      size -= used;
      if (protocol_.fault() != Protocol::Fault::none) return fail_by_fault();
      if (protocol_.ready()) take(protocol_.get_message());
    }
    protocol_.rest();
  }

  void take(Message::ptr message) {
    std::string& payload = message->get_raw_payload();
    const opcode::value code = message->get_opcode();
    if (code == opcode::close) return take_close(payload);
    if (code == opcode::ping) {
      if (!close_sent_ && answers_pings_)
        append_frame(output_, Opcode::pong, payload);  // nothing may follow our Close frame
      return;
    }
    if (code == opcode::pong) return listener_.pong(payload);
    listener_.message(code == opcode::text ? Opcode::text : Opcode::binary, payload);
    message->end();
  }

  void take_close(const std::string& payload) {
    std::error_code error;
    const std::uint16_t code = websocketpp::close::extract_code(payload, error);
    if (error)
      return fail(kProtocolError, "The server sent a Close frame with an invalid code.",
                  "invalid close code");
    const std::string reason = websocketpp::close::extract_reason(payload, error);
    if (error) {
      return fail(kInvalidPayload, "The server sent a Close frame whose reason is not UTF-8.",
                  "invalid close reason");
    }
    if (!close_sent_) send_close(code, {});
    state_ = State::over;
    finished_ = true;
    listener_.closed(code, reason);
  }

  void fail_by_fault() {
    switch (protocol_.fault()) {
      case Protocol::Fault::none: return;
      case Protocol::Fault::utf8:
        return fail(kInvalidPayload, "The server sent a text message that is not UTF-8.", "invalid UTF-8");
      case Protocol::Fault::length:
        return fail(kProtocolError,
                    "The server announced a frame with an impossible length (its highest bit is set).",
                    "invalid frame length");
      case Protocol::Fault::inflate:
        return fail(kInvalidPayload, "The server sent a compressed message that cannot be inflated.",
                    "invalid compressed data");
      case Protocol::Fault::size:
        return fail(kTooBig,
                    "The server sent a message of at least " + std::to_string(protocol_.announced()) +
                        " bytes; max_message_bytes is " + std::to_string(limits_.max_message_bytes) + ".",
                    "message too big");
      case Protocol::Fault::protocol: {
        const std::string what = protocol_.error().message();
        return fail(kProtocolError, "The server broke the WebSocket protocol: " + what + ".", what);
      }
    }
  }

  void fail(std::uint16_t code, std::string message, std::string_view reason) {
    Failure failure;
    failure.phase = code == kTooBig ? Phase::limit : Phase::protocol;
    failure.message = std::move(message);
    if (!close_sent_) send_close(code, reason);
    state_ = State::over;
    finished_ = true;
    listener_.failed(code, std::move(failure));
  }

  const Limits limits_;
  Listener& listener_;
  std::unique_ptr<Handshake> handshake_;  // nullptr once it is open
  Protocol protocol_;
  std::string output_;
  State state_ = State::idle;
  bool close_sent_ = false;
  bool answers_pings_ = true;
  bool finished_ = false;
};

Engine::Engine(const Request& request, const Limits& limits, Listener& listener, SharedRoom* room)
    : impl_(std::make_unique<Impl>(request, limits, listener, room)) {}

Engine::~Engine() = default;

void Engine::start() { impl_->start(); }
void Engine::feed(const char* data, std::size_t size) { impl_->feed(data, size); }
void Engine::end() { impl_->end(); }
void Engine::close(std::uint16_t code, std::string_view reason) { impl_->close(code, reason); }
std::string& Engine::output() noexcept { return impl_->output(); }
void Engine::answer_pings(bool on) noexcept { impl_->answer_pings(on); }
void Engine::give_back() { impl_->give_back(); }
bool Engine::finished() const noexcept { return impl_->finished(); }

}  // namespace fastws::engine
