// Servers of TLS answer a request in plain text by leaving without a word (OpenSSL's), or say it in the page of an error
// (nginx, Apache, Go). Those that end TLS for others ask for a certificate on such a page, too.
#include "tls_hint.hpp"

namespace fastws::client {

std::string tls_hint(const Failure& rejection, bool secure, bool heard) {
  const auto says = [&rejection](const char* words) {
    return rejection.body.find(words) != std::string::npos;
  };
  const bool bad_request = rejection.http_status == 400;
  if (!secure && (!heard || (bad_request && (says("HTTPS") || says("SSL-enabled"))))) {
    return "; does it want TLS: should the URL begin with wss://?";
  }
  if (secure && bad_request && says("No required SSL certificate was sent")) {
    return "; it asks for a client's certificate: give Tls(cert_file=..., key_file=...)";
  }
  return "";
}

}  // namespace fastws::client
