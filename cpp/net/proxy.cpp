// Proxy URLs and no_proxy lists, read as curl and urllib read them.
#include "proxy.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "../ascii.hpp"

namespace fastws::net {

namespace {

/// A name without the dot of the root.
std::string_view without_root(std::string_view name) {
  if (name.size() > 1 && name.back() == '.') name.remove_suffix(1);
  return name;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// An address as 16 bytes: IPv4 as the IPv6 address that stands for it, so that both spellings are the same.
using Bytes = std::array<unsigned char, 16>;
constexpr int mapped_bits = 96;
constexpr Bytes mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};

struct Parsed {
  Bytes bytes{};
  int bits = 128;  // of the family it was written in
};

std::optional<Parsed> address_of(std::string_view text) {
  const std::string literal(text.substr(0, text.find('%')));  // a zone is not part of the address
  Parsed parsed;
  if (::inet_pton(AF_INET6, literal.c_str(), parsed.bytes.data()) == 1) return parsed;
  parsed.bytes = mapped_prefix;
  parsed.bits = 32;
  if (::inet_pton(AF_INET, literal.c_str(), parsed.bytes.data() + mapped_bits / 8) == 1) return parsed;
  return std::nullopt;
}

/// A host as an address, in the short forms of IPv4 too ("127.1"), which the system takes for addresses as well.
std::optional<Bytes> host_address(const std::string& host) {
  if (const auto parsed = address_of(host)) return parsed->bytes;
  in_addr four{};
  if (::inet_aton(host.c_str(), &four) == 0) return std::nullopt;
  Bytes bytes = mapped_prefix;
  std::memcpy(bytes.data() + mapped_bits / 8, &four, sizeof four);
  return bytes;
}

bool same_begin(const Bytes& left, const Bytes& right, int bits) {
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (std::memcmp(left.data(), right.data(), whole) != 0) return false;
  const int rest = bits % 8;
  return rest == 0 || ((left[whole] ^ right[whole]) >> (8 - rest)) == 0;
}

/// A number of at most five digits, or -1.
int number_of(std::string_view text) {
  if (text.empty() || text.size() > 5) return -1;
  int number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return -1;
    number = number * 10 + (c - '0');
  }
  return number;
}

bool in_block(const Bytes& address, std::string_view base, std::string_view size) {
  const auto parsed = address_of(base);
  const int bits = number_of(size);
  if (!parsed || bits < 0 || bits > parsed->bits) return false;
  return same_begin(address, parsed->bytes, bits + 128 - parsed->bits);
}

bool entry_matches(std::string_view entry, std::string_view name, const std::optional<Bytes>& address,
                   std::uint16_t port) {
  if (entry == "*") return true;
  if (const std::size_t slash = entry.find('/'); slash != std::string_view::npos) {
    return address && in_block(*address, entry.substr(0, slash), entry.substr(slash + 1));
  }
  std::string_view wanted_port;
  bool has_port = false;
  if (!entry.empty() && entry.front() == '[') {
    const std::size_t end = entry.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view after = entry.substr(end + 1);
    if (!after.empty() && after.front() != ':') return false;
    has_port = !after.empty();
    if (has_port) wanted_port = after.substr(1);
    entry = entry.substr(1, end - 1);
  } else if (std::count(entry.begin(), entry.end(), ':') == 1) {  // more of them: an IPv6 address
    has_port = true;
    wanted_port = entry.substr(entry.find(':') + 1);
    entry = entry.substr(0, entry.find(':'));
  }
  if (has_port && number_of(wanted_port) != port) return false;
  if (const auto parsed = address_of(entry)) return address && *address == parsed->bytes;
  if (address) return false;  // no part of an address is a domain
  if (entry.substr(0, 2) == "*.") entry.remove_prefix(1);
  while (!entry.empty() && entry.front() == '.') entry.remove_prefix(1);
  entry = without_root(entry);
  if (entry.empty()) return false;
  return name == entry || (ends_with(name, entry) && name[name.size() - entry.size() - 1] == '.');
}

void check_credentials(const Proxy& proxy) {
  constexpr std::size_t longest = 255;  // one byte tells the length (RFC 1929 section 2)
  if (!proxy.user) return;
  if (proxy.kind == Proxy::Kind::http && proxy.user->find(':') != std::string::npos) {
    refuse_url("a user with a colon can not be sent (RFC 7617)");
  }
  if (proxy.kind != Proxy::Kind::socks5) return;
  if (proxy.user->empty()) refuse_url("SOCKS5 has no empty user (RFC 1929)");
  if (proxy.user->size() > longest || proxy.password->size() > longest) {
    refuse_url("SOCKS5 has no user or password above 255 bytes (RFC 1929)");
  }
}

}  // namespace

Proxy parse_proxy(std::string_view text) {
  check_characters(text);
  const std::size_t colon = text.find("://");
  const std::string scheme = lowered(text.substr(0, std::min(colon, text.size())));
  Proxy proxy;
  std::uint16_t port = 80;
  if (colon == std::string_view::npos)
    refuse_url("it must begin with http://, https://, socks5:// or socks5h://");
  if (scheme == "https") {
    proxy.secure = true;
    port = 443;
  } else if (scheme == "socks5" || scheme == "socks5h") {
    proxy.kind = Proxy::Kind::socks5;
    proxy.resolves_names = scheme == "socks5h";
    port = 1080;
  } else if (scheme != "http") {
    refuse_url("the scheme must be http, https, socks5 or socks5h");
  }
  std::string_view rest = text.substr(colon + 3);
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  if (rest.find_first_of("/?#") != std::string_view::npos) {
    refuse_url("a proxy has no path; write / ? # in a user or password as %2F %3F %23");
  }
  Authority authority = parse_authority(rest);
  proxy.host = std::move(authority.host);
  proxy.port = authority.port.value_or(port);
  proxy.user = std::move(authority.user);
  proxy.password = std::move(authority.password);
  check_credentials(proxy);
  return proxy;
}

bool is_loopback(const std::string& host) {
  const std::string_view name = without_root(host);
  if (name == "localhost" || ends_with(name, ".localhost")) return true;
  const auto address = host_address(host);
  if (!address) return false;
  constexpr Bytes unspecified{};
  constexpr Bytes loopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr Bytes loopback4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 0};
  return *address == unspecified || *address == mapped_prefix || *address == loopback ||
         same_begin(*address, loopback4, mapped_bits + 8);
}

bool is_exempt(std::string_view no_proxy, const std::string& host, std::uint16_t port) {
  const std::string list = lowered(no_proxy);
  const std::string_view name = without_root(host);
  const auto address = host_address(host);
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::size_t size = std::min(rest.find_first_of(", \t\r\n"), rest.size());
    if (size > 0 && entry_matches(rest.substr(0, size), name, address, port)) return true;
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
  return false;
}

std::optional<Proxy> ProxySetting::choose(const Url& url) const {
  if (!url.unix_path.empty()) return std::nullopt;
  if (fixed) return fixed;
  if (!environment) return std::nullopt;
  const std::string& own = url.secure ? environment->https : environment->http;
  const std::string& value = own.empty() ? environment->all : own;
  if (value.empty() || is_loopback(url.host) || is_exempt(environment->none, url.host, url.port)) {
    return std::nullopt;
  }
  try {
    // The variables are often written without a scheme; they mean an HTTP proxy then.
    return parse_proxy(value.find("://") == std::string::npos ? "http://" + value : value);
  } catch (const std::invalid_argument& error) {
    const char* const name = own.empty() ? "all_proxy" : url.secure ? "https_proxy" : "http_proxy";
    throw std::invalid_argument(std::string("the environment's ") + name + ": " + error.what());
  }
}

}  // namespace fastws::net
