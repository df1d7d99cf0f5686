// What both kinds of tunnel share.
#include "tunnel.hpp"

#include <utility>

namespace fastws::net {

Tunnel::Tunnel(const Proxy& proxy, Target target) : proxy_where_(proxy.where()), target_(std::move(target)) {
  // A zone names an interface of this machine: it means nothing to another one.
  target_.host = target_.host.substr(0, target_.host.find('%'));
}

Tunnel::Step Tunnel::fail(const std::string& what) {
  failure_.phase = Phase::proxy;
  failure_.message = "proxy " + proxy_where_ + ": " + what;
  return Step::failed;
}

std::string Tunnel::target_text() const { return host_and_port(target_.host, target_.port); }

std::unique_ptr<Tunnel> make_tunnel(const Proxy& proxy, Target target) {
  return proxy.kind == Proxy::Kind::http ? make_http_tunnel(proxy, std::move(target))
                                         : make_socks_tunnel(proxy, std::move(target));
}

}  // namespace fastws::net
