// permessage-deflate's negotiation (RFC 7692 section 7): what we offer, and what the server's answer agrees to.
//
// May know: nothing. Promises: every answer that RFC 7692 forbids is refused with a sentence that names the fault.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fastws::engine {

/// What the user wants (api: Deflate).
struct DeflateOptions {
  bool offered = false;
  int level = 6;                 // zlib's, 1 (fast) to 9 (small)
  int window_bits = 15;          // 9 to 15, both ways: zlib cannot compress with 8
  bool context_takeover = true;  // both ways
  std::size_t threshold = 1024;  // bytes: what is smaller is sent plain
};

/// What both sides agreed on.
struct DeflateTerms {
  bool client_takeover = true;
  bool server_takeover = true;
  int client_bits = 15;
  int server_bits = 15;
};

/// The Sec-WebSocket-Extensions header's value; empty when nothing is offered.
std::string compose_deflate_offer(const DeflateOptions& options);

struct DeflateAnswer {
  std::optional<DeflateTerms> terms;  // nullopt: declined, or `fault`
  std::string fault;                  // a sentence; empty = none
};

/// `header`: the response's Sec-WebSocket-Extensions, all of them joined with ", "; empty = declined.
DeflateAnswer judge_deflate_answer(std::string_view header, const DeflateOptions& options);

}  // namespace fastws::engine
