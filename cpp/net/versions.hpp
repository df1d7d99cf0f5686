// Which libraries this build talks to the network with: for bug reports.
#pragma once

#include <string>

namespace fastws::net {

std::string asio_version();
std::string openssl_version();  // of the library that is loaded, not of the headers

}  // namespace fastws::net
