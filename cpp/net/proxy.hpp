// Which proxy a connection goes through, if any: one that was named, or what the environment's variables say.
//
// May know: url. Promises: pure decisions over text, no look-ups and no I/O; no exception's text shows a user or password.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "url.hpp"

namespace fastws::net {

/// One proxy, and how it is spoken to.
struct Proxy {
  enum class Kind : std::uint8_t { http, socks5 };

  Kind kind = Kind::http;
  bool secure = false;         // TLS on the way to the proxy itself (https://)
  bool resolves_names = true;  // the proxy looks the server's name up; false only for socks5://
  std::string host;            // a name or an address literal without brackets
  std::uint16_t port = 0;
  std::optional<std::string> user;
  std::optional<std::string> password;

  [[nodiscard]] std::string where() const { return host_and_port(host, port); }
};

/// Takes http, https, socks5 and socks5h. Throws std::invalid_argument with a sentence that names the fault.
Proxy parse_proxy(std::string_view text);

/// The values of http_proxy, https_proxy, all_proxy and no_proxy; empty = not set.
struct ProxyEnvironment {
  std::string http, https, all, none;
};

/// What a client was told about proxies. Neither of the two: no proxy.
struct ProxySetting {
  std::optional<Proxy> fixed;
  std::optional<ProxyEnvironment> environment;

  /// The proxy for this URL; nullopt = connect directly. Throws std::invalid_argument, naming the variable, when that of
  /// the environment can not be used.
  [[nodiscard]] std::optional<Proxy> choose(const Url& url) const;
};

/// Whether this is the machine itself, which no proxy of the environment can reach: localhost and names below it, the
/// addresses of loopback (127.0.0.0/8, ::1), and the unspecified ones, which mean the same to connect().
bool is_loopback(const std::string& host);

/// Whether `no_proxy` names this host. Entries are separated by commas or spaces; each is
///   *                 everything
///   example.com       that name and all below it; `.example.com` and `*.example.com` mean the same
///   10.0.0.1, ::1     an address, however it is written
///   10.0.0.0/8        a block of addresses
/// and each but the last may end with `:port` (an IPv6 address then stands in brackets). Names are not looked up, and what
/// is none of these matches nothing.
bool is_exempt(std::string_view no_proxy, const std::string& host, std::uint16_t port);

}  // namespace fastws::net
