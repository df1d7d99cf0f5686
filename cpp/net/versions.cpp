// Versions as the libraries themselves tell them.
#include "versions.hpp"

#include <openssl/crypto.h>

#include <asio/version.hpp>

namespace fastws::net {

std::string asio_version() {
  return std::to_string(ASIO_VERSION / 100000) + "." + std::to_string(ASIO_VERSION / 100 % 1000) + "." +
         std::to_string(ASIO_VERSION % 100);
}

std::string openssl_version() { return OpenSSL_version(OPENSSL_VERSION); }

}  // namespace fastws::net
