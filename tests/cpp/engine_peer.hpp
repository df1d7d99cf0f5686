// The server's side of engine tests: frames made by hand, answers with the right accept key, and a listener
// that writes down what it is told. Every conversation is fed whole, byte by byte and in random chunks.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <websocketpp/base64/base64.hpp>
#include <websocketpp/sha1/sha1.hpp>

#include "../../cpp/engine/engine.hpp"
#include "../../cpp/engine/outgoing.hpp"

namespace fastws::engine::peer {

/// Seeded numbers: a failure repeats.
class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  unsigned operator()() { return static_cast<unsigned>(engine_()); }

 private:
  std::mt19937 engine_;
};

/// One unmasked frame as a server sends it. `first` is the whole first byte: FIN, RSV bits and opcode.
inline std::string frame(unsigned first, std::string_view payload) {
  std::string out(1, static_cast<char>(first));
  const std::uint64_t size = payload.size();
  const int width = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8;
  out += static_cast<char>(width == 0 ? size : width == 2 ? 126 : 127);
  for (int i = width - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i) & 0xFF);
  return out.append(payload);
}

inline std::string text(std::string_view payload) { return frame(0x81, payload); }

/// A frame's header with a 64-bit length that need not be true.
inline std::string header64(unsigned first, std::uint64_t length) {
  std::string out{static_cast<char>(first), static_cast<char>(127)};
  for (int i = 7; i >= 0; --i) out += static_cast<char>(length >> (8 * i) & 0xFF);
  return out;
}

inline std::string close_payload(unsigned code, std::string_view reason = {}) {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)}.append(reason);
}

/// The value of a header in a request's text; "<none>" when it is missing.
inline std::string header_of(const std::string& request, const std::string& name) {
  const std::size_t at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "<none>";
  const std::size_t begin = at + name.size() + 4;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

inline std::string accept_key(const std::string& key) {
  const std::string all = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[20];
  websocketpp::sha1::calc(all.data(), all.size(), digest);
  return websocketpp::base64_encode(digest, sizeof digest);
}

/// A 101 with the key that answers the request, and more header lines (each ended by CRLF).
inline std::string upgrade(const std::string& request, const std::string& more = "") {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
         "Upgrade\r\nSec-WebSocket-Accept: " +
         accept_key(header_of(request, "Sec-WebSocket-Key")) + "\r\n" + more + "\r\n";
}

/// What a server reads: each frame as "opcode:payload", unmasked.
inline std::vector<std::string> frames_in(const std::string& wire) {
  std::vector<std::string> frames;
  std::size_t at = 0;
  while (at < wire.size()) {
    const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(wire.at(index)); };
    EXPECT_EQ(byte(at) & 0xF0U, 0x80U) << "FIN set, RSV bits clear";
    EXPECT_EQ(byte(at + 1) & 0x80U, 0x80U) << "a client masks";
    std::uint64_t size = byte(at + 1) & 0x7FU;
    std::string entry = std::to_string(byte(at) & 0x0FU) + ":";
    at += 2;
    const std::size_t width = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (width != 0) size = 0;
    for (std::size_t i = 0; i < width; ++i) size = size << 8U | byte(at++);
    const std::size_t key = at;
    at += 4;
    for (std::uint64_t i = 0; i < size; ++i) entry += static_cast<char>(byte(at + i) ^ byte(key + i % 4));
    at += size;
    frames.push_back(std::move(entry));
  }
  return frames;
}

struct Recorder : Listener {
  std::vector<std::string> events;
  Response response;
  Failure failure;
  int terminal = 0;

  void opened(Response given) override {
    events.push_back("opened");
    response = std::move(given);
  }
  void rejected(Failure given) override {
    events.push_back("rejected " + given.message);
    failure = std::move(given);
    ++terminal;
  }
  void message(Opcode opcode, std::string_view payload) override {
    events.push_back((opcode == Opcode::text ? "text " : "binary ") + std::string(payload));
  }
  void pong(std::string_view payload) override { events.push_back("pong " + std::string(payload)); }
  void closed(std::uint16_t code, std::string_view reason) override {
    events.push_back("closed " + std::to_string(code) + " " + std::string(reason));
    ++terminal;
  }
  void failed(std::uint16_t code, Failure given) override {
    events.push_back("failed " + std::to_string(code) + " " + given.message);
    failure = std::move(given);
    ++terminal;
  }
};

/// One that notes where the messages lay, too.
struct Places : Recorder {
  std::vector<const char*> places;
  void message(Opcode opcode, std::string_view payload) override {
    places.push_back(payload.data());
    Recorder::message(opcode, payload);
  }
};

/// An engine with its listener, and what the server would see of it.
struct Session {
  Recorder recorder;
  Engine engine;
  std::string request;

  explicit Session(const Request& asked = {"example.test", "/", {}, {}, "", ""}, const Limits& limits = {})
      : engine(asked, limits, recorder) {
    engine.start();
    request.swap(engine.output());
  }

  void open() {
    const std::string answer = upgrade(request);
    engine.feed(answer.data(), answer.size());
  }
  void feed(const std::string& bytes) { engine.feed(bytes.data(), bytes.size()); }
  void feed_cut(const std::string& bytes, std::size_t largest, Dice& random) {
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t count =
          std::min<std::size_t>(bytes.size() - at, largest == 1 ? 1 : 1 + random() % largest);
      // A copy of its exact size, so that the sanitizer sees a read past the chunk.
      const std::vector<char> chunk(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                    bytes.begin() + static_cast<std::ptrdiff_t>(at + count));
      engine.feed(chunk.data(), chunk.size());
      at += count;
    }
  }
};

struct Outcome {
  std::vector<std::string> events;  // after "opened"
  std::vector<std::string> sent;
  Failure failure;
  bool finished = false;
};

/// What comes of these bytes after the handshake. Fails the test when that depends on how they are cut.
inline Outcome outcome_of(const std::string& bytes, const Limits& limits = {}) {
  Outcome first;
  Dice random(7);
  for (const std::size_t largest :
       {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{100}}) {
    Session session({"example.test", "/", {}, {}, "", ""}, limits);
    const std::string all = upgrade(session.request) + bytes;
    largest == 0 ? session.feed(all) : session.feed_cut(all, largest, random);
    EXPECT_LE(session.recorder.terminal, 1);
    Outcome now{session.recorder.events, frames_in(session.engine.output()), session.recorder.failure,
                session.engine.finished()};
    if (now.events.empty() || now.events.front() != "opened") {
      ADD_FAILURE() << "the handshake did not open";
      return now;
    }
    now.events.erase(now.events.begin());
    if (largest == 0) {
      first = now;
    } else {
      EXPECT_EQ(now.events, first.events) << "in chunks of up to " << largest;
      EXPECT_EQ(now.sent, first.sent) << "in chunks of up to " << largest;
      EXPECT_EQ(now.finished, first.finished);
    }
  }
  return first;
}

using Strings = std::vector<std::string>;

}  // namespace fastws::engine::peer
