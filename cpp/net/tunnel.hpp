// The talk with a proxy that opens a tunnel to the server: HTTP CONNECT (RFC 9110 section 9.3.6) or SOCKS5 (RFC 1928).
//
// May know: proxy, http_reply. No I/O. Promises: takes the answers in pieces of any size and holds a bounded part of them;
// every way it fails is one sentence that names the proxy and never its user or password.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "../error.hpp"
#include "proxy.hpp"

namespace fastws::net {

/// Where the tunnel is to end: a name, or an address literal without brackets.
struct Target {
  std::string host;
  std::uint16_t port = 0;
};

class Tunnel {
 public:
  enum class Step { more, done, failed };

  virtual ~Tunnel() = default;
  /// What has to be written next; the writer takes from its front. Nothing may be fed before it is empty.
  [[nodiscard]] std::string& output() noexcept { return output_; }
  /// What the proxy said. After `done` the stream is the server's; after `failed` failure() says why.
  virtual Step feed(std::string_view bytes) = 0;

  [[nodiscard]] const Failure& failure() const noexcept { return failure_; }
  /// After `failed`: the proxy works, but could not connect to this address; another of the server's may do.
  [[nodiscard]] bool another_address_may_do() const noexcept { return another_address_may_do_; }

 protected:
  Tunnel(const Proxy& proxy, Target target);
  /// `what` follows "proxy HOST:PORT: ".
  Step fail(const std::string& what);
  [[nodiscard]] std::string target_text() const;

  std::string proxy_where_;
  Target target_;
  std::string output_;
  Failure failure_;
  bool another_address_may_do_ = false;
};

std::unique_ptr<Tunnel> make_tunnel(const Proxy& proxy, Target target);

/// The two kinds, each in a file of its own.
std::unique_ptr<Tunnel> make_http_tunnel(const Proxy& proxy, Target target);
std::unique_ptr<Tunnel> make_socks_tunnel(const Proxy& proxy, Target target);

}  // namespace fastws::net
