// Section 5.2 reads a Set-Cookie header, 5.3 stores it, 5.4 chooses what is sent.
#include "cookies.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "../ascii.hpp"

namespace fastws::net {

namespace {

constexpr double for_ever = std::numeric_limits<double>::infinity();

/// "name=value" or "name", both trimmed.
std::pair<std::string_view, std::string_view> split(std::string_view pair) {
  const std::size_t equals = std::min(pair.find('='), pair.size());
  return {trimmed(pair.substr(0, equals)),
          equals == pair.size() ? std::string_view() : trimmed(pair.substr(equals + 1))};
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return host.find(':') != std::string::npos || ::inet_pton(AF_INET, host.c_str(), bytes) == 1;
}

bool ends_in(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Section 5.1.3.
bool domain_matches(const std::string& host, const std::string& domain) {
  return host == domain || (!is_address(host) && ends_in(host, "." + domain));
}

std::string path_of(const Url& url) { return url.resource.substr(0, url.resource.find('?')); }

/// Section 5.1.4.
std::string default_path(const Url& url) {
  const std::string path = path_of(url);
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

bool path_matches(const std::string& path, const std::string& cookies) {
  return path == cookies || (path.compare(0, cookies.size(), cookies) == 0 &&
                             (cookies.back() == '/' || path[cookies.size()] == '/'));
}

/// Section 5.2.2; what is no number changes nothing.
void set_max_age(std::string_view text, double now, double& expires) {
  const bool minus = !text.empty() && text[0] == '-';
  const std::string_view digits = text.substr(minus ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return;
  double seconds = 0.0;
  for (const char c : digits) seconds = seconds * 10.0 + (c - '0');
  expires = minus || seconds == 0.0 ? 0.0 : now + seconds;
}

}  // namespace

bool CookieJar::read(std::string_view set_cookie, const Url& url, double now, Cookie& cookie) {
  if (std::any_of(set_cookie.begin(), set_cookie.end(),
                  [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; })) {
    return false;
  }
  std::size_t end = std::min(set_cookie.find(';'), set_cookie.size());
  const std::string_view first = set_cookie.substr(0, end);
  if (first.find('=') == std::string_view::npos) return false;
  const auto [name, value] = split(first);
  if (name.empty() || name.size() + value.size() > most_bytes) return false;
  cookie.name = name;
  cookie.value = value;
  cookie.domain = url.host;
  cookie.path = default_path(url);
  cookie.expires = for_ever;
  bool has_max_age = false;
  bool has_domain = false;
  while (end < set_cookie.size()) {
    set_cookie.remove_prefix(end + 1);
    end = std::min(set_cookie.find(';'), set_cookie.size());
    const auto [key, text] = split(set_cookie.substr(0, end));
    const std::string attribute = lowered(key);
    if (attribute == "max-age") {
      has_max_age = true;
      set_max_age(text, now, cookie.expires);
    } else if (attribute == "expires" && !has_max_age) {
      double date = 0.0;
      if (parse_cookie_date(text, date)) cookie.expires = date;
    } else if (attribute == "domain" && !text.empty()) {
      cookie.domain = lowered(text[0] == '.' ? text.substr(1) : text);
      has_domain = true;
    } else if (attribute == "path") {
      cookie.path = !text.empty() && text[0] == '/' ? std::string(text) : default_path(url);
    } else if (attribute == "secure") {
      cookie.secure = true;
    }
  }
  if (has_domain) {
    // A domain without a dot is everybody's: only a host of that very name may name it, for itself.
    const bool shared = cookie.domain.find('.') != std::string::npos && !is_address(url.host);
    if (cookie.domain != url.host && !(shared && domain_matches(url.host, cookie.domain))) return false;
    cookie.host_only = !shared;
  }
  // What came over an open line must not pass for what a secure one set (RFC 6265bis sections 4.1.3 and 5.6).
  if (cookie.secure && !url.secure) return false;
  if (cookie.name.rfind("__Secure-", 0) == 0 && !cookie.secure) return false;
  return cookie.name.rfind("__Host-", 0) != 0 || (cookie.secure && !has_domain && cookie.path == "/");
}

void CookieJar::take(std::string_view set_cookie, const Url& url, double now) {
  Cookie cookie;
  if (!read(set_cookie, url, now, cookie)) return;
  cookies_.erase(std::remove_if(cookies_.begin(), cookies_.end(),
                                [now](const Cookie& old) { return old.expires <= now; }),
                 cookies_.end());
  const auto known = std::find_if(cookies_.begin(), cookies_.end(), [&cookie](const Cookie& old) {
    return old.name == cookie.name && old.domain == cookie.domain && old.path == cookie.path;
  });
  // Nobody on an open line replaces what a secure one set.
  if (known != cookies_.end() && known->secure && !url.secure) return;
  if (cookie.expires <= now) {
    if (known != cookies_.end()) cookies_.erase(known);
  } else if (known != cookies_.end()) {
    *known = std::move(cookie);
  } else {
    if (cookies_.size() == most_cookies) cookies_.erase(cookies_.begin());
    cookies_.push_back(std::move(cookie));
  }
}

std::string CookieJar::header(const Url& url, double now, std::string_view given) const {
  const std::string path = path_of(url);
  std::vector<const Cookie*> chosen;
  for (const Cookie& cookie : cookies_) {
    const bool here = cookie.host_only ? url.host == cookie.domain : domain_matches(url.host, cookie.domain);
    if (here && cookie.expires > now && (!cookie.secure || url.secure) && path_matches(path, cookie.path)) {
      chosen.push_back(&cookie);
    }
  }
  std::stable_sort(chosen.begin(), chosen.end(), [](const Cookie* left, const Cookie* right) {
    return left->path.size() > right->path.size();
  });
  std::string all;
  const auto add = [&all](std::string_view pair) { all.append(all.empty() ? "" : "; ").append(pair); };
  while (!given.empty()) {
    const std::size_t end = std::min(given.find(';'), given.size());
    const std::string_view pair = trimmed(given.substr(0, end));
    const bool newer =
        std::any_of(chosen.begin(), chosen.end(),
                    [name = split(pair).first](const Cookie* cookie) { return cookie->name == name; });
    if (!pair.empty() && !newer) add(pair);
    given.remove_prefix(std::min(end + 1, given.size()));
  }
  for (const Cookie* cookie : chosen) add(cookie->name + "=" + cookie->value);
  return all;
}

}  // namespace fastws::net
