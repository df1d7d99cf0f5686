// A real server on loopback for the client's tests: accepts, shakes hands, and runs a script for each connection.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "engine_peer.hpp"

namespace fastws::client::testing {

/// How many bytes of `wire` are whole masked frames.
inline std::size_t whole_frames(const std::string& wire) {
  std::size_t at = 0;
  for (;;) {
    if (at + 6 > wire.size()) return at;
    const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(wire[at + index]); };
    std::size_t size = byte(1) & 0x7fU;
    std::size_t head = 6;
    if (size == 126) {
      size = static_cast<std::size_t>(byte(2)) << 8 | byte(3);
      head = 8;
    } else if (size == 127) {
      if (at + 14 > wire.size()) return at;
      size = 0;
      for (std::size_t index = 2; index < 10; ++index) size = size << 8 | byte(index);
      head = 14;
    }
    if (at + head + size > wire.size()) return at;
    at += head + size;
  }
}

/// One connection as its script sees it.
class Peer {
 public:
  explicit Peer(int socket) : socket_(socket) {}

  void write(const std::string& bytes) const {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;
      sent += static_cast<std::size_t>(count);
    }
  }
  /// Whatever arrives next; empty at the end, or after `milliseconds` of silence.
  std::string read(int milliseconds = 5000) const {
    pollfd wanted{socket_, POLLIN, 0};
    if (::poll(&wanted, 1, milliseconds) <= 0) return "";
    std::string bytes(65536, '\0');
    const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  [[nodiscard]] bool shake_hands() const {
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos) {
      const std::string more = read();
      if (more.empty()) return false;
      request += more;
    }
    write(engine::peer::upgrade(request));
    return true;
  }
  /// Every frame until one holds a Close, or the end.
  [[nodiscard]] std::vector<std::string> read_until_close() const {
    std::vector<std::string> frames;
    std::string wire;
    for (;;) {
      const std::string more = read();
      if (more.empty()) return frames;
      wire += more;
      const std::size_t whole = whole_frames(wire);
      for (auto& frame : engine::peer::frames_in(wire.substr(0, whole))) frames.push_back(std::move(frame));
      wire.erase(0, whole);
      if (frames.empty() || frames.back().rfind("8:", 0) != 0) continue;
      write(engine::peer::frame(0x88, engine::peer::close_payload(1000)));
      return frames;
    }
  }

 private:
  int socket_;
};

class Server {
 public:
  using Script = std::function<void(const Peer&)>;

  explicit Server(Script script) : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~Server() {
    stopping_.store(true);
    accepting_.join();
    for (auto& worker : workers_) worker.join();
    ::close(listener_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::string url() const { return "ws://127.0.0.1:" + std::to_string(port) + "/"; }

  std::uint16_t port = 0;
  std::atomic<int> accepted{0};
  std::atomic<int> live{0};
  std::atomic<int> most_live{0};

 private:
  void accept_all() {
    while (!stopping_.load()) {
      pollfd wanted{listener_, POLLIN, 0};
      if (::poll(&wanted, 1, 20) <= 0) continue;
      const int socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0) continue;
      accepted.fetch_add(1);
      workers_.emplace_back([this, socket] {
        const int now = live.fetch_add(1) + 1;
        if (now > most_live.load()) most_live.store(now);
        script_(Peer(socket));
        ::close(socket);
        live.fetch_sub(1);
      });
    }
  }

  Script script_;
  int listener_;
  std::atomic<bool> stopping_{false};
  std::thread accepting_;
  std::vector<std::thread> workers_;
};

}  // namespace fastws::client::testing
