// What an answer to the opening request gives away about TLS: the wrong scheme, a certificate that is missing.
//
// May know: the shared error vocabulary. Promises: pure; a hint is a question or an advice, never a verdict.
#pragma once

#include <string>

#include "../error.hpp"

namespace fastws::client {

/// What to put behind a rejection, or nothing. `secure`: the request went over TLS; `heard`: the server said anything at
/// all.
std::string tls_hint(const Failure& rejection, bool secure, bool heard);

}  // namespace fastws::client
