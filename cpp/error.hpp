// What can go wrong, in data and in words: the vocabulary that every room shares.
//
// May know: nothing of this project. Promises: plain values; nothing here throws, logs or does I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fastws {

/// The stage in which something failed; the `phase` of the public `error` event.
enum class Phase : std::uint8_t {
  none,
  resolve,
  tcp,
  proxy,
  tls,
  http,
  timeout,
  provider,
  decode,
  handler,
  protocol,
  limit,
  record,
};

/// The public, lower-case name of a phase ("resolve", "tcp", ...).
std::string_view name(Phase phase) noexcept;

using Headers = std::vector<std::pair<std::string, std::string>>;

/// One failure: of an attempt to connect, or of an open connection.
struct Failure {
  Phase phase = Phase::none;
  /// One sentence: what happened, where, and what to try. Never holds credentials.
  std::string message;
  /// The peer gave a definitive answer that a retry will not change (a bad certificate, a wrong accept key,
  /// a subprotocol nobody asked for). HTTP statuses are judged by policy/verdict, not by this flag.
  bool definitive = false;
  /// The status of an HTTP response that was not the expected 101; 0 = there was none.
  int http_status = 0;
  /// How long the server asked us to wait, in seconds from when the response arrived.
  std::optional<double> retry_after;
  /// The rejected response: its headers and at most the first 4 KiB of its body.
  Headers headers;
  std::string body;
};

}  // namespace fastws
