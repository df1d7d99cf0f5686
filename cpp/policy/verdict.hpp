// Retry or stop, and how long the server asks us to stay away (reconnect-spec section 5): pure functions.
//
// May know: backoff and the shared error vocabulary. Promises: the default is to retry; only a definitive rejection of
// a client that never was open stops. What a server asks for is a floor and is capped.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "../error.hpp"
#include "backoff.hpp"

namespace fastws::policy {

enum class Verdict : std::uint8_t { retry, stop };

/// A failed attempt. `has_provider`: a `url` or `headers` callable may have better credentials the next time.
Verdict judge(const Failure& failure, bool ever_opened, bool has_provider) noexcept;

/// The end of an open connection: every close code is retried but those that the user called fatal.
Verdict judge(const Backoff& backoff, std::uint16_t close_code) noexcept;

/// The least wait that a close code asks for, in seconds; `jitter` and `hint` are uniform in [0, 1).
double close_code_floor(const Backoff& backoff, std::uint16_t code, double jitter, double hint);

/// The least wait that a `Retry-After` of `asked` seconds means: capped, then up to 10 % longer, so that clients which
/// were sent away together do not return together.
double retry_after_floor(const Backoff& backoff, double asked, double hint) noexcept;

/// Seconds from now that a `Retry-After` field value names, in either form of RFC 9110 section 10.2.3: delay-seconds or
/// one of the three date forms of section 5.6.7. A date that is past is 0; what is neither form is nullopt.
std::optional<double> parse_retry_after(std::string_view value, double wall_now_unix_seconds);

}  // namespace fastws::policy
