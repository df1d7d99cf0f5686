// One pass over the text; every refusal names what is wrong with it.
#include "url.hpp"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <stdexcept>

#include "../ascii.hpp"
#include "url_secrets.hpp"

namespace fastws::net {

namespace {

constexpr const char* userinfo_name = "user or password";

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char small = lower(c);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text, const char* what) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    const int high = at + 2 < text.size() ? hex_value(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? hex_value(text[at + 2]) : -1;
    if (high < 0 || low < 0) {
      refuse_url(std::string("the ") + what + " holds a % that two hexadecimal digits do not follow");
    }
    out += static_cast<char>(high * 16 + low);
    at += 2;
  }
  if (out.find_first_of(std::string("\r\n\0", 3)) != std::string::npos) {
    refuse_url(std::string("the ") + what + " holds a line break or NUL");
  }
  return out;
}

/// Bytes above ASCII are sent percent-encoded, as browsers do (RFC 3987 section 3.1).
std::string encoded_resource(std::string_view text) {
  static const char* const digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

std::uint16_t parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) {
    refuse_url("the port is not a number from 1 to 65535");
  }
  int port = 0;
  for (const char c : text) port = port * 10 + (c - '0');
  if (port < 1 || port > 65535) refuse_url("the port is not a number from 1 to 65535");
  return static_cast<std::uint16_t>(port);
}

std::string checked_host(std::string_view host) {
  if (host.empty()) refuse_url("it has no host");
  if (host.size() > 253) refuse_url("the host is longer than 253 characters");
  for (const char c : host) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      refuse_url("the host has non-ASCII characters; write it in its xn-- form");
    }
    if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '.' && c != '_') {
      refuse_url("the host holds a character that no host name has");
    }
  }
  // RFC 1035 section 2.3.4; one dot may stand at the end, where the root's empty label is.
  for (std::string_view rest = host; !rest.empty();) {
    const std::size_t size = std::min(rest.find('.'), rest.size());
    if (size == 0) refuse_url("the host has a dot too many");
    if (size > 63) refuse_url("a part of the host between dots is longer than 63 characters");
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
  return lowered(host);
}

/// An IPv6 literal without its brackets; a zone is written %25eth0 (RFC 6874) and kept as %eth0.
std::string checked_literal(std::string_view text) {
  const std::size_t percent = text.find('%');
  std::string literal = lowered(text.substr(0, percent));
  unsigned char bytes[16];
  if (::inet_pton(AF_INET6, literal.c_str(), bytes) != 1)
    refuse_url("what is in brackets is not an IPv6 address");
  if (percent == std::string_view::npos) return literal;
  std::string_view zone = text.substr(percent + 1);
  if (zone.substr(0, 2) == "25") zone.remove_prefix(2);
  const bool named = !zone.empty() && std::all_of(zone.begin(), zone.end(), [](char c) {
    return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
  });
  if (!named) refuse_url("the zone of the IPv6 address is not a name");
  return literal + "%" + std::string(zone);
}

}  // namespace

void refuse_url(const std::string& why) { throw std::invalid_argument("bad URL: " + why); }

void check_characters(std::string_view url) {
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f) refuse_url("it holds a space or a control character");
  }
}

std::string host_and_port(const std::string& host, std::uint16_t port) {
  return (host.find(':') != std::string::npos ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

bool Url::is_ipv6() const noexcept { return host.find(':') != std::string::npos; }

std::string Url::authority() const {
  std::string out = is_ipv6() ? "[" + host.substr(0, host.find('%')) + "]" : host;
  if (port != (secure ? 443 : 80)) out += ":" + std::to_string(port);
  return out;
}

std::string Url::shown() const {
  const std::string seen = without_secrets(resource);
  if (!unix_path.empty()) return "ws+unix://" + unix_path + ":" + seen;
  return (secure ? "wss://" : "ws://") + authority() + seen;
}

Authority parse_authority(std::string_view authority) {
  Authority parts;
  // Browsers read a backslash as a slash: what is behind it must not pass for the host.
  if (authority.find('\\') != std::string_view::npos) refuse_url("it holds a backslash before the path");

  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view userinfo = authority.substr(0, at);
    const std::size_t separator = userinfo.find(':');
    parts.user = percent_decoded(userinfo.substr(0, separator), userinfo_name);
    parts.password = separator == std::string_view::npos
                         ? ""
                         : percent_decoded(userinfo.substr(separator + 1), userinfo_name);
    authority.remove_prefix(at + 1);
  }
  std::string_view port;
  bool has_port = false;
  if (!authority.empty() && authority[0] == '[') {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) refuse_url("the bracket of its IPv6 address is not closed");
    parts.host = checked_literal(authority.substr(1, end - 1));
    const std::string_view after = authority.substr(end + 1);
    if (!after.empty() && after[0] != ':') refuse_url("something follows the IPv6 address that is no port");
    has_port = !after.empty();
    if (has_port) port = after.substr(1);
  } else {
    const std::size_t separator = authority.find(':');
    parts.host = checked_host(authority.substr(0, separator));
    has_port = separator != std::string_view::npos;
    if (has_port) port = authority.substr(separator + 1);
  }
  if (has_port) parts.port = parse_port(port);
  return parts;
}

namespace {

/// Behind "ws+unix://": the socket's path up to a colon, then the resource.
Url parse_unix(std::string_view rest) {
  if (rest.empty() || rest[0] != '/')
    refuse_url("ws+unix needs an absolute path: ws+unix:///path/of/the/socket:/resource");
  const std::size_t colon = rest.find(':');
  Url url;
  url.host = "localhost";
  url.port = 80;
  url.unix_path = percent_decoded(rest.substr(0, colon), "path of the socket");
  if (url.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
    refuse_url("the path of the socket is longer than " + std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
               " bytes");
  }
  const std::string_view resource = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  if (!resource.empty() && resource[0] != '/' && resource[0] != '?') {
    refuse_url("what follows the colon behind the socket's path must begin with /");
  }
  url.resource = encoded_resource(resource);
  if (url.resource.empty() || url.resource[0] == '?') url.resource.insert(0, "/");
  return url;
}

}  // namespace

Url parse_url(std::string_view text) {
  check_characters(text);
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) refuse_url("it must begin with ws:// or wss://");
  const std::string scheme = lowered(text.substr(0, colon));
  Url url;
  if (scheme == "wss" || scheme == "https") {
    url.secure = true;
  } else if (scheme != "ws" && scheme != "http" && scheme != "ws+unix") {
    refuse_url("the scheme must be ws, wss, http, https or ws+unix");
  }
  std::string_view rest = text.substr(colon + 3);
  if (rest.find('#') != std::string_view::npos) {
    refuse_url("a WebSocket URL has no fragment (RFC 6455 section 3); write %23 for a # in the path");
  }
  if (scheme == "ws+unix") return parse_unix(rest);
  const std::size_t slash = rest.find_first_of("/?");
  url.resource = slash == std::string_view::npos ? "/" : encoded_resource(rest.substr(slash));
  if (url.resource[0] == '?') url.resource.insert(0, "/");

  const Authority authority = parse_authority(rest.substr(0, slash));
  url.host = authority.host;
  url.user = authority.user;
  url.password = authority.password;
  url.port = authority.port.value_or(static_cast<std::uint16_t>(url.secure ? 443 : 80));
  return url;
}

}  // namespace fastws::net
