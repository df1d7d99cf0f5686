// The opening handshake's texts (RFC 6455 section 4.1): what we say, and whether the answer may stand.
//
// May know: the HTTP response reader; no third-party code. Promises: headers are sent as given; the accept
// key is left to websocketpp to judge, everything else about the answer is judged here, each fault with its
// sentence.
#pragma once

#include <string>
#include <string_view>

#include "engine.hpp"
#include "http_response.hpp"

namespace fastws::engine {

/// The request's text, with the nonce that websocketpp made and the extension offer (which may be empty).
std::string compose_request(const Request& request, std::string_view key, std::string_view extension_offer);

/// Empty when a 101 may open the connection, else the sentence that says what is wrong with it. Extensions are judged by
/// deflate_terms.
std::string fault_of_upgrade(const HttpResponseReader& response,
                             const std::vector<std::string>& subprotocols);

/// The failure that a response other than 101 amounts to. Takes the reader's headers and body.
Failure rejection_of(HttpResponseReader& response, const Request& request);

}  // namespace fastws::engine
