// SSL_CTX objects, one for each distinct TlsOptions of the process.
//
// May know: OpenSSL. Included by this folder's .cpp files only.
#pragma once

#include <openssl/ssl.h>

#include "dialer.hpp"

namespace fastws::net {

/// The shared context of these options, with a reference of the caller's own (SSL_CTX_free it). Throws
/// std::invalid_argument, naming the argument, when a file can not be read or is not what it should be.
SSL_CTX* tls_context(const TlsOptions& options);

/// The oldest error in OpenSSL's queue, in words; empties the queue.
std::string take_openssl_error();

}  // namespace fastws::net
