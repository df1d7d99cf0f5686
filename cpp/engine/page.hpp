// The start of a refusal's page, as far as a line of text may hold it.
//
// May know: the request. Promises: no control characters, and nothing of what was sent to prove who we are.
#pragma once

#include <string>
#include <string_view>

#include "engine.hpp"

namespace fastws::engine {

/// At most 80 characters in one line; "" when the page is not plain text. Values of the request's query and headers are ***.
std::string start_of_page(std::string_view body, const Request& request);

}  // namespace fastws::engine
