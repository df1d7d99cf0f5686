// What the tests of dialing through proxies share: scripted ends of sockets, what they heard, and dials by way of them.
#pragma once

#include <algorithm>
#include <mutex>

#include "net_rig.hpp"

namespace fastws::net::testing {

inline void say(int socket, const std::string& bytes) {
  ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

inline std::string hear(int socket, std::size_t size) {
  std::string bytes(size, '\0');
  bytes.resize(
      static_cast<std::size_t>(std::max<ssize_t>(0, ::recv(socket, bytes.data(), size, MSG_WAITALL))));
  return bytes;
}

inline std::string hear_head(int socket) {
  std::string head;
  while (head.size() < 4 || head.compare(head.size() - 4, 4, "\r\n\r\n") != 0) {
    const std::string byte = hear(socket, 1);
    if (byte.empty()) break;
    head += byte;
  }
  return head;
}

inline const std::string established = "HTTP/1.1 200 Connection established\r\n\r\n";

/// What a proxy was told, for the test's thread.
class Heard {
 public:
  void add(const std::string& words) {
    const std::lock_guard<std::mutex> lock(mutex_);
    all_.push_back(words);
  }
  [[nodiscard]] std::vector<std::string> all() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

/// A dial to `url` by way of a proxy.
inline DialOptions by(const std::string& proxy, std::uint16_t port, const std::string& url) {
  DialOptions options = to(url);
  const std::size_t place = proxy.find("PORT");
  options.proxy.fixed = parse_proxy(proxy.substr(0, place) + std::to_string(port) + proxy.substr(place + 4));
  return options;
}

}  // namespace fastws::net::testing
