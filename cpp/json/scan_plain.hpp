// The route of a text without a backslash, found by looking for the key itself: what most servers send, in a few steps.
//
// May know: scan, block. Promises: an answer only where it is surely json.loads(text).get(key) for every text that
// json.loads accepts; reads nothing outside the text.
#pragma once

#include <string_view>

#include "scan.hpp"

namespace fastws::json {

/// True = `route` is it. False = only a whole scan can tell. Without a backslash in the text every quote begins or ends a string, so the key in
/// quotes is that key or a value that reads alike, wherever it stands; where it stands nowhere, there is no such key.
bool find_plain_route(std::string_view text, std::string_view key, Route& route) noexcept;

}  // namespace fastws::json
