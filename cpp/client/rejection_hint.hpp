// What to try when a server refused the opening handshake.
//
// May know: the shared error vocabulary, URLs. Promises: pure; nothing secret of the URL.
#pragma once

#include <string>

#include "../error.hpp"
#include "../net/url.hpp"

namespace fastws::client {

/// What to put behind a rejection, or nothing. `reconnects`: the client is one that tries again.
std::string rejection_hint(const Failure& rejection, const net::Url& url, bool reconnects);

}  // namespace fastws::client
