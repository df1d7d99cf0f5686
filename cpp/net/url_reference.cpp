// The reference is made a whole URL again, and that is parsed like any other.
#include "url_reference.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace fastws::net {

namespace {

bool has_scheme(std::string_view text) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && colon != 0 && text.find_first_of("/?") > colon;
}

/// RFC 3986 section 5.2.4, on a path that begins with "/".
std::string without_dots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    const bool last = end == path.size();
    if (segment == "/..") {
      out.resize(out.empty() ? 0 : out.rfind('/'));
      if (last) out += '/';
    } else if (segment == "/.") {
      if (last) out += '/';
    } else {
      out += segment;
    }
    path.remove_prefix(end);
  }
  return out;
}

/// The path and query that a reference without scheme and authority means.
std::string resource_of(const Url& base, std::string_view reference) {
  const std::string_view path = std::string_view(base.resource).substr(0, base.resource.find('?'));
  if (reference.empty()) return base.resource;
  if (reference[0] == '?') return std::string(path).append(reference);
  const std::size_t question = std::min(reference.find('?'), reference.size());
  std::string target(reference.substr(0, question));
  if (target[0] != '/') target.insert(0, path.substr(0, path.rfind('/') + 1));
  return without_dots(target).append(reference.substr(question));
}

}  // namespace

Url resolve_reference(const Url& base, std::string_view reference) {
  reference = reference.substr(0, reference.find('#'));
  const std::string scheme = base.secure ? "wss" : "ws";
  const bool elsewhere = has_scheme(reference) || reference.substr(0, 2) == "//";
  if (elsewhere && !base.unix_path.empty()) {
    throw std::invalid_argument("it leads from a unix socket to somewhere else");
  }
  Url url;
  if (has_scheme(reference)) {
    url = parse_url(reference);
    if (!url.unix_path.empty()) throw std::invalid_argument("it leads to a unix socket");
  } else if (elsewhere) {
    url = parse_url(scheme + ":" + std::string(reference));
  } else {
    url = parse_url(scheme + "://" + base.authority() + resource_of(base, reference));
    url.host = base.host;  // with its zone, which the authority leaves out
    url.unix_path = base.unix_path;
  }
  url.user.reset();
  url.password.reset();
  return url;
}

bool same_origin(const Url& one, const Url& other) noexcept {
  return one.secure == other.secure && one.host == other.host && one.port == other.port &&
         one.unix_path == other.unix_path;
}

}  // namespace fastws::net
