// By the end of the name: what is hidden without need does less harm than what is shown.
#include "url_secrets.hpp"

#include <algorithm>

#include "../ascii.hpp"

namespace fastws::net {

namespace {

constexpr std::string_view secret_ends[] = {
    "token",   "key",           "secret", "password",  "passwd",     "pwd",         "passphrase",
    "auth",    "authorization", "jwt",    "bearer",    "credential", "credentials", "sig",
    "session", "sessionid",     "sid",    "signature", "ticket",     "otp",
};

bool looks_secret(std::string_view name) {
  const std::string small = lowered(name);
  return std::any_of(std::begin(secret_ends), std::end(secret_ends), [&small](std::string_view end) {
    return small.size() >= end.size() && small.compare(small.size() - end.size(), end.size(), end) == 0;
  });
}

}  // namespace

std::string without_secrets(std::string_view resource) {
  const std::size_t question = resource.find('?');
  if (question == std::string_view::npos) return std::string(resource);
  std::string shown(resource.substr(0, question + 1));
  std::string_view rest = resource.substr(question + 1);
  for (;;) {
    const std::size_t end = std::min(rest.find_first_of("&;"), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = pair.find('=');
    const bool hide = equals != std::string_view::npos && looks_secret(pair.substr(0, equals));
    shown.append(hide ? pair.substr(0, equals + 1) : pair).append(hide ? "***" : "");
    if (end == rest.size()) return shown;
    shown += rest[end];
    rest.remove_prefix(end + 1);
  }
}

}  // namespace fastws::net
