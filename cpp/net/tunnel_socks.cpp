// SOCKS5: greeting, perhaps user and password (RFC 1929), then one request and its answer (RFC 1928).
#include <arpa/inet.h>

#include <utility>

#include "tunnel.hpp"

namespace fastws::net {

namespace {

constexpr unsigned char version = 5;
constexpr unsigned char no_authentication = 0;
constexpr unsigned char user_and_password = 2;
constexpr unsigned char no_method = 0xff;
constexpr unsigned char command_connect = 1;
constexpr unsigned char type_ipv4 = 1;
constexpr unsigned char type_name = 3;
constexpr unsigned char type_ipv6 = 4;

class SocksTunnel final : public Tunnel {
 public:
  SocksTunnel(const Proxy& proxy, Target target)
      : Tunnel(proxy, std::move(target)), user_(proxy.user), password_(proxy.password.value_or("")) {
    put(version);
    put(user_ ? 2 : 1);
    put(no_authentication);
    if (user_) put(user_and_password);
  }

  Step feed(std::string_view bytes) override {
    received_ += bytes;
    if (received_.size() > most_bytes) return strange("its answer is too long");
    while (stage_ != Stage::done) {
      const Stage before = stage_;
      const Step step = stage_ == Stage::greeting         ? greeted()
                        : stage_ == Stage::authentication ? authenticated()
                                                          : answered();
      if (step == Step::failed || stage_ == before) return step;
    }
    // In a tunnel, TLS or not, the server speaks after us: what came already is not the server's.
    return received_.empty() ? Step::done : strange("bytes follow its answer that belong to nothing");
  }

 private:
  enum class Stage { greeting, authentication, request, done };

  static constexpr std::size_t most_bytes = 1024;  // the longest answer has 262

  void put(int byte) { output_ += static_cast<char>(byte); }
  [[nodiscard]] unsigned char at(std::size_t index) const {
    return static_cast<unsigned char>(received_[index]);
  }
  /// What is not asked for yet can not be an answer.
  Step go_on(Stage stage, std::size_t consumed) {
    received_.erase(0, consumed);
    if (!received_.empty() && stage != Stage::done) return strange("it answers what was not asked");
    stage_ = stage;
    return Step::more;
  }
  Step strange(const std::string& why) {
    return fail("it did not answer as a SOCKS5 proxy does (" + why +
                "); is it a SOCKS5 proxy, and is the port right?");
  }
  Step refused(const std::string& what) {
    failure_.definitive = true;
    return fail(what);
  }

  Step greeted() {
    if (received_.empty()) return Step::more;
    if (at(0) == 'H') return strange("it speaks HTTP: should the proxy's URL begin with http://?");
    if (at(0) != version) return strange("version " + std::to_string(at(0)));
    if (received_.size() < 2) return Step::more;
    if (at(1) == no_method) {
      return refused(
          user_ ? "it takes neither a user and password nor connections without (SOCKS method 255)"
                : "it wants authentication (SOCKS method 255); give a user and password in the proxy's "
                  "URL: socks5h://user:password@...");
    }
    if (at(1) == no_authentication) {
      const Step step = go_on(Stage::request, 2);
      if (step == Step::more) request();
      return step;
    }
    if (at(1) != user_and_password || !user_) {
      return strange("method " + std::to_string(at(1)) + ", which was not offered");
    }
    const Step step = go_on(Stage::authentication, 2);
    if (step != Step::more) return step;
    put(1);  // the version of RFC 1929
    put(static_cast<int>(user_->size()));
    output_ += *user_;
    put(static_cast<int>(password_.size()));
    output_ += password_;
    return step;
  }

  Step authenticated() {
    if (received_.size() < 2) return Step::more;
    // The version should be 1; some proxies say 5, and only the status has a meaning.
    if (at(1) != 0) {
      return refused("it refused the user and password (SOCKS status " + std::to_string(at(1)) +
                     "); check those of the proxy's URL");
    }
    const Step step = go_on(Stage::request, 2);
    if (step == Step::more) request();
    return step;
  }

  void request() {
    put(version);
    put(command_connect);
    put(0);
    unsigned char address[16];
    if (::inet_pton(AF_INET, target_.host.c_str(), address) == 1) {
      put(type_ipv4);
      output_.append(reinterpret_cast<const char*>(address), 4);
    } else if (::inet_pton(AF_INET6, target_.host.c_str(), address) == 1) {
      put(type_ipv6);
      output_.append(reinterpret_cast<const char*>(address), 16);
    } else {
      put(type_name);
      put(static_cast<int>(target_.host.size()));  // a host has at most 253 characters
      output_ += target_.host;
    }
    put(target_.port >> 8);
    put(target_.port & 0xff);
  }

  Step answered() {
    if (received_.empty()) return Step::more;
    if (at(0) != version) return strange("version " + std::to_string(at(0)));
    if (received_.size() < 2) return Step::more;
    if (at(1) != 0) return reply_refused(at(1));  // some proxies end the connection without the rest
    if (received_.size() < 5) return Step::more;
    std::size_t size = 0;
    switch (at(3)) {
      case type_ipv4: size = 4; break;
      case type_ipv6: size = 16; break;
      case type_name: size = std::size_t{1} + at(4); break;
      default: return strange("address type " + std::to_string(at(3)));
    }
    size += 6;  // four bytes before the address, the port behind it
    return received_.size() < size ? Step::more : go_on(Stage::done, size);
  }

  /// RFC 1928 section 6.
  Step reply_refused(int reply) {
    const std::string to = target_text();
    const std::string said = " (SOCKS reply " + std::to_string(reply) + ")";
    another_address_may_do_ = reply != 2 && reply != 7;
    switch (reply) {
      case 1: return fail("it failed to connect to " + to + said + "; can the proxy reach the server?");
      case 2:
        return refused("its rules forbid a connection to " + to + said +
                       "; ask who runs it, or go without it (proxy=None)");
      case 3:
        return fail("it has no route to the network of " + to + said + "; can the proxy reach the server?");
      case 4:
        return fail("it can not reach the host of " + to + said +
                    "; is its name right, and known to the proxy?");
      case 5: return fail(to + " refused its connection" + said + "; is the server running?");
      case 6: return fail("it got no answer from " + to + said + "; can the proxy reach the server?");
      case 7: return refused("it allows no connections through it (SOCKS reply 7: command not supported)");
      case 8:
        return refused("it does not know this kind of address: " + to + said +
                       "; try socks5h:// in place of socks5://, or the reverse");
      default: return fail("it refused a connection to " + to + said + ", which no standard explains");
    }
  }

  const std::optional<std::string> user_;
  const std::string password_;
  std::string received_;
  Stage stage_ = Stage::greeting;
};

}  // namespace

std::unique_ptr<Tunnel> make_socks_tunnel(const Proxy& proxy, Target target) {
  return std::make_unique<SocksTunnel>(proxy, std::move(target));
}

}  // namespace fastws::net
