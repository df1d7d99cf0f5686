// Where a redirect leads (RFC 3986 section 5), and whether credentials may go with it.
//
// May know: url. Promises: pure; what comes out has passed every check of parse_url, and carries no user or password.
#pragma once

#include <string_view>

#include "url.hpp"

namespace fastws::net {

/// The URL that `reference` (absolute, or relative in any form; its fragment is left out) means on `base`. Throws
/// std::invalid_argument with a sentence that names the fault.
Url resolve_reference(const Url& base, std::string_view reference);

/// Scheme, host and port (RFC 6454 section 4).
bool same_origin(const Url& one, const Url& other) noexcept;

}  // namespace fastws::net
