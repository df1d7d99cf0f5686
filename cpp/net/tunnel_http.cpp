// CONNECT: one request, one answer; credentials go with the request (RFC 9110 section 11.7, RFC 7617).
#include <openssl/evp.h>

#include <algorithm>

#include "../ascii.hpp"
#include "http_reply.hpp"
#include "tunnel.hpp"

namespace fastws::net {

namespace {

std::string base64(const std::string& bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL writes a NUL behind it
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

/// Whether `text` begins with `word`, which is in lower case.
bool begins_with(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) { return a == lower(b); });
}

class HttpTunnel final : public Tunnel {
 public:
  HttpTunnel(const Proxy& proxy, Target target)
      : Tunnel(proxy, std::move(target)), has_user_(proxy.user.has_value()) {
    output_ = "CONNECT " + target_text() + " HTTP/1.1\r\nHost: " + target_text() + "\r\n";
    if (has_user_) {
      output_ += "Proxy-Authorization: Basic " + base64(*proxy.user + ":" + *proxy.password) + "\r\n";
    }
    output_ += "\r\n";
  }

  Step feed(std::string_view bytes) override {
    switch (reply_.feed(bytes)) {
      case HttpReply::Step::more: return Step::more;
      case HttpReply::Step::bad:
        return fail("it did not answer as an HTTP proxy does (" + reply_.fault() +
                    "); is it an HTTP proxy, and is the port right?");
      case HttpReply::Step::done: break;
    }
    const int status = reply_.status();
    if (status >= 200 && status <= 299) {
      // In a tunnel, TLS or not, the server speaks after us: what came already is not the server's.
      if (!reply_.has_more()) return Step::done;
      return fail("it sent bytes behind its answer that belong to nothing; is it an HTTP proxy?");
    }
    failure_.http_status = status;
    failure_.definitive =
        status == 401 || status == 407;  // no provider of ours has other credentials for a proxy
    failure_.headers = reply_.headers();
    return fail(refusal());
  }

 private:
  [[nodiscard]] std::string refusal() const {
    const std::string said = " (" + reply_.status_text() + ")";
    switch (reply_.status()) {
      case 401:  // what tinyproxy says for 407 when there were credentials
      case 407: return authentication(said);
      case 403:
        return "it forbids a connection to " + target_text() + said +
               "; ask who runs it, or go without it (proxy=None)";
      case 400:
      case 404:
      case 405:
      case 501:
        return "it refused a tunnel to " + target_text() + said +
               "; is it an HTTP proxy that allows CONNECT?";
      case 500:
      case 502:
      case 503:
      case 504:
        return "it could not connect to " + target_text() + said +
               "; is the server running, and can the proxy reach it?";
      default: return "it refused a tunnel to " + target_text() + said + "; ask who runs it";
    }
  }

  [[nodiscard]] std::string authentication(const std::string& said) const {
    bool offers = false;
    bool offers_basic = false;
    for (const auto& [name, value] : reply_.headers()) {
      if (name.size() != 18 || !begins_with(name, "proxy-authenticate")) continue;
      offers = true;
      offers_basic = offers_basic || begins_with(value, "basic");
    }
    if (offers && !offers_basic) return "it wants a kind of authentication that is not Basic" + said;
    if (has_user_) return "it refused the user and password" + said + "; check those of the proxy's URL";
    return "it wants a user and password" + said + "; give them in the proxy's URL: http://user:password@...";
  }

  const bool has_user_;
  HttpReply reply_;
};

}  // namespace

std::unique_ptr<Tunnel> make_http_tunnel(const Proxy& proxy, Target target) {
  return std::make_unique<HttpTunnel>(proxy, std::move(target));
}

}  // namespace fastws::net
