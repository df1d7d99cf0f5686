// A WebSocket URL taken apart and checked (RFC 6455 section 3, RFC 3986), by our own strict parser.
//
// May know: nothing of this project. Promises: what it accepts holds no CR, LF, NUL or space; what it refuses it names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fastws::net {

/// What stands between a URL's "//" and its path.
struct Authority {
  std::string host;                   // without brackets, lower case; a name or an address literal
  std::optional<std::uint16_t> port;  // nullopt = not given
  std::optional<std::string> user;    // percent-decoded userinfo
  std::optional<std::string> password;
};

/// Throws the std::invalid_argument that names the fault.
[[noreturn]] void refuse_url(const std::string& why);

/// Refuses a text with a space or a control character.
void check_characters(std::string_view url);

/// Throws std::invalid_argument as parse_url does. What check_characters() refuses must have been refused before.
Authority parse_authority(std::string_view text);

/// "name:443", "[::1]:443".
std::string host_and_port(const std::string& host, std::uint16_t port);

struct Url {
  bool secure = false;
  std::string host;  // without brackets, lower case; a name or an address literal
  std::uint16_t port = 0;
  std::string unix_path;  // of ws+unix: the socket's file, percent-decoded; the host is "localhost" then
  std::string resource;   // path and query, begins with "/"; without the fragment
  std::optional<std::string> user;  // percent-decoded userinfo
  std::optional<std::string> password;

  [[nodiscard]] bool is_ipv6() const noexcept;
  [[nodiscard]] std::string authority()
      const;                                // for the Host header: brackets, port unless it is the default
  [[nodiscard]] std::string shown() const;  // without userinfo and secrets of the query: what people may see
};

/// Takes ws, wss, http and https (any letter case), and ws+unix:///path/of/the/socket:/resource. Throws std::invalid_argument with a sentence that names the fault.
Url parse_url(std::string_view text);

}  // namespace fastws::net
