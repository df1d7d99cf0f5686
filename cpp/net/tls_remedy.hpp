// What to try when TLS fails: OpenSSL's verdicts and reasons, and the usual remedy of each, in words.
//
// May know: OpenSSL's numbers. Included by this folder's .cpp files only. Promises: pure; no secret is in any text.
#pragma once

#include <string>

namespace fastws::net {

/// What to do about a certificate that was refused for this verdict (X509_V_ERR_*), shown for the host `name`. `proxy`: a
/// proxy showed it, not the server.
std::string certificate_remedy(long verdict, const std::string& name, bool proxy = false);

/// What is known of a connection that TLS ended.
struct TlsTrouble {
  int reason = 0;                  // OpenSSL's, of its oldest error; 0 = the stream ended or broke
  bool silent = false;             // the server had said nothing before
  bool certificate_asked = false;  // the server wanted a certificate of the client,
  bool certificate_given = false;  // and got one
  bool only_tls_1_3 = false;       // Tls(min_version="1.3")
  bool proxy = false;              // it is a proxy, not the server
  std::string name;                // the server's, as it was asked for
};

/// "; " and what to try, or nothing when nothing usual is known.
std::string handshake_remedy(const TlsTrouble& trouble);

}  // namespace fastws::net
