// The cookies of one client (RFC 6265): what servers set in their handshakes, and what goes to them with the next one.
//
// May know: url. Promises: no clock of its own, no file; a cookie goes only where its host, path and Secure allow; bounded:
// 50 cookies of at most 4096 bytes, the oldest leave first. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "url.hpp"

namespace fastws::net {

class CookieJar {
 public:
  static constexpr std::size_t most_cookies = 50;
  static constexpr std::size_t most_bytes = 4096;  // of a name and its value

  /// Takes one Set-Cookie header's value that came from `url`. `now`: seconds since 1970. What it must not take is ignored,
  /// as section 5.2 says.
  void take(std::string_view set_cookie, const Url& url, double now);

  /// The Cookie header's value for a request to `url`; "" = none. `given`: the user's own cookies for it, in the same form;
  /// what a server set under one of their names goes before them.
  [[nodiscard]] std::string header(const Url& url, double now, std::string_view given = {}) const;

  [[nodiscard]] std::size_t size() const noexcept { return cookies_.size(); }

 private:
  struct Cookie {
    std::string name;
    std::string value;
    std::string domain;
    std::string path;
    bool host_only = true;
    bool secure = false;
    double expires = 0.0;  // seconds since 1970
  };

  static bool read(std::string_view set_cookie, const Url& url, double now, Cookie& cookie);

  std::vector<Cookie> cookies_;  // in the order of their making
};

/// Seconds since 1970 of a cookie's date in any of its forms (section 5.1.1); false = it is none.
bool parse_cookie_date(std::string_view text, double& seconds);

}  // namespace fastws::net
