// What to try, by the status of a refusal.
#include "client/rejection_hint.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace {

using fastws::Failure;
using fastws::client::rejection_hint;

std::string hint(int status, bool reconnects = true, std::optional<double> retry_after = std::nullopt,
                 const std::string& message = "the server answered") {
  Failure failure;
  failure.http_status = status;
  failure.retry_after = retry_after;
  failure.message = message;
  return rejection_hint(failure, fastws::net::parse_url("ws://ann:pw@h/a/b?token=hush"), reconnects);
}

TEST(RejectionHint, CredentialsFor401And403) {
  for (const int status : {401, 403}) {
    EXPECT_EQ(hint(status), "; check its credentials: headers=, auth=, or a token in the URL");
  }
}

TEST(RejectionHint, ThePathWhereNoWebSocketIs) {
  for (const int status : {200, 204, 404, 405, 410}) {
    EXPECT_EQ(hint(status), "; is /a/b the path of its WebSocket?") << status;
  }
}

TEST(RejectionHint, TimeForWhatPasses) {
  for (const int status : {408, 425, 429, 500, 503}) {
    EXPECT_EQ(hint(status), "; reconnecting tries again after a delay") << status;
    EXPECT_EQ(hint(status, true, 30.0), "; it asks to wait 30 s, which reconnecting heeds") << status;
    EXPECT_EQ(hint(status, false, 30.0), "; it may open later") << status;
  }
}

TEST(RejectionHint, WhatIsNoHttpMayBeNoWebSocketServer) {
  EXPECT_EQ(hint(0), "; is it a WebSocket server?");
  EXPECT_EQ(hint(0, true, {}, "it is TLS: should the URL begin with wss://?"), "") << "it is advised already";
}

TEST(RejectionHint, NothingWhereNothingIsKnown) {
  for (const int status : {302, 400, 402, 451}) EXPECT_EQ(hint(status), "") << status;
}

}  // namespace
