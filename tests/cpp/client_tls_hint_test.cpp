// What rejections give away about TLS, and what they do not.
#include "client/tls_hint.hpp"

#include <gtest/gtest.h>

namespace {

using fastws::Failure;
using fastws::Phase;
using fastws::client::tls_hint;

Failure rejection(int status, const std::string& body = "") {
  Failure failure;
  failure.phase = Phase::http;
  failure.http_status = status;
  failure.body = body;
  return failure;
}

bool doubts_the_scheme(const Failure& failure, bool secure, bool heard) {
  return tls_hint(failure, secure, heard) == "; does it want TLS: should the URL begin with wss://?";
}

TEST(TlsHint, SilenceOnAPlainConnectionDoubtsTheScheme) {
  EXPECT_TRUE(doubts_the_scheme(rejection(0), false, false));
  EXPECT_EQ(tls_hint(rejection(0), true, false), "");
}

TEST(TlsHint, AnUnfinishedAnswerDoesNot) { EXPECT_EQ(tls_hint(rejection(0), false, true), ""); }

TEST(TlsHint, ThePageOfATlsPortDoubtsTheScheme) {
  for (const char* body :
       {"The plain HTTP request was sent to HTTPS port", "Client sent an HTTP request to an HTTPS server.",
        "You're speaking plain HTTP to an SSL-enabled server port."}) {
    EXPECT_TRUE(doubts_the_scheme(rejection(400, body), false, true)) << body;
    EXPECT_EQ(tls_hint(rejection(400, body), true, true), "") << body;
    EXPECT_EQ(tls_hint(rejection(502, body), false, true), "") << body;
  }
  EXPECT_EQ(tls_hint(rejection(400, "no such channel"), false, true), "");
}

TEST(TlsHint, ThePageThatMissesACertificateSaysWhatToGive) {
  const Failure failure = rejection(400, "<h1>400 Bad Request</h1>No required SSL certificate was sent");
  EXPECT_NE(tls_hint(failure, true, true).find("give Tls(cert_file=..., key_file=...)"), std::string::npos);
  EXPECT_EQ(tls_hint(failure, false, true), "");
}

}  // namespace
