// TLS sessions for resumption: the newest of each peer, kept with the context under whose rules it was made.
//
// May know: OpenSSL. Included by this folder's .cpp files only. Promises: a session is offered only to the peer it came
// from, by a connection of the same context, so under the same verification; each is offered once (RFC 8446 appendix
// C.4), so one that the server can not take never fails two attempts; a context keeps a bounded number. Any thread.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <string>

namespace fastws::net {

constexpr std::size_t most_sessions = 128;  // of a context; the least recently kept goes first

/// Connections of this context keep their sessions from now on.
void keep_sessions(SSL_CTX* context);

/// Before the handshake: offers what is kept of this peer, if anything. `peer` names the host, the port and the name
/// that the certificate was checked for.
void offer_session(SSL* connection, const std::string& peer);

/// After the handshake: a session of TLS 1.2 that was resumed is good for the next time, too. (New ones, and the tickets of
/// TLS 1.3, which come after the handshake, are kept when they come.)
void renew_session(SSL* connection);

/// After a fatal error of TLS, which ends the session as well (RFC 5246 section 7.2.2).
void forget_session(SSL* connection);

/// How many sessions are kept.
std::size_t kept_sessions(SSL_CTX* context);

}  // namespace fastws::net
