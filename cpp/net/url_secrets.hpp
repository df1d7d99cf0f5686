// What of a URL's query must not be seen: tokens and keys are often sent there, and URLs stand in logs and errors.
//
// May know: nothing. Promises: pure; names are shown, and so is every value whose name does not look secret.
#pragma once

#include <string>
#include <string_view>

namespace fastws::net {

/// A path and query with the values of parameters that look secret by their names ("token", "api_key", "X-Amz-Signature",
/// in any letter case) as "***".
std::string without_secrets(std::string_view resource);

}  // namespace fastws::net
