// What is offered, what may be answered, and what nobody may answer (RFC 7692 section 7).
#include <gtest/gtest.h>

#include <string>

#include "../../cpp/engine/deflate_terms.hpp"
#include "engine_peer.hpp"

namespace fastws::engine {
namespace {

using namespace peer;

Request offering(DeflateOptions options = {}) {
  Request request{"h", "/", {}, {}, "", "", options};
  request.deflate.offered = true;
  return request;
}

TEST(DeflateTerms, WhatIsOffered) {
  DeflateOptions options;
  EXPECT_EQ(compose_deflate_offer(options), "");
  options.offered = true;
  EXPECT_EQ(compose_deflate_offer(options), "permessage-deflate; client_max_window_bits");
  options.window_bits = 11;
  EXPECT_EQ(compose_deflate_offer(options),
            "permessage-deflate; client_max_window_bits=11; server_max_window_bits=11");
  options.window_bits = 15;
  options.context_takeover = false;
  EXPECT_EQ(
      compose_deflate_offer(options),
      "permessage-deflate; client_max_window_bits; client_no_context_takeover; server_no_context_takeover");
  EXPECT_EQ(header_of(Session(offering(options)).request, "Sec-WebSocket-Extensions"),
            compose_deflate_offer(options));
}

TEST(DeflateTerms, WhatMayBeAnswered) {
  DeflateOptions options;
  options.offered = true;
  const auto terms = [&](const std::string& answer) {
    const DeflateAnswer judged = judge_deflate_answer(answer, options);
    EXPECT_EQ(judged.fault, "") << answer;
    return judged.terms.value_or(DeflateTerms{});
  };
  EXPECT_FALSE(judge_deflate_answer("", options).terms);
  EXPECT_TRUE(terms("permessage-deflate").client_takeover);
  EXPECT_FALSE(terms("permessage-deflate; client_no_context_takeover").client_takeover);
  EXPECT_FALSE(terms("permessage-deflate;server_no_context_takeover").server_takeover);
  EXPECT_EQ(terms("permessage-deflate ; client_max_window_bits=\"10\"").client_bits, 10);
  EXPECT_EQ(terms("permessage-deflate; client_max_window_bits = 8").client_bits, 8);
  EXPECT_EQ(terms("permessage-deflate; server_max_window_bits=8").server_bits, 8);
  options.window_bits = 12;
  EXPECT_EQ(terms("permessage-deflate; server_max_window_bits=12").client_bits, 12);
  options.context_takeover = false;
  EXPECT_FALSE(
      terms("permessage-deflate; server_max_window_bits=9; server_no_context_takeover").client_takeover);
}

TEST(DeflateTerms, WhatNobodyMayAnswer) {
  DeflateOptions options;
  options.offered = true;
  const auto refused = [&](const std::string& answer) {
    const DeflateAnswer judged = judge_deflate_answer(answer, options);
    EXPECT_FALSE(judged.terms) << answer;
    EXPECT_NE(judged.fault, "") << answer;
    return judged.fault;
  };
  for (const char* const answer :
       {"permessage-bzip2",
        "x-webkit-deflate-frame",
        "permessage-deflate, permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=16",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=08",
        "permessage-deflate; client_max_window_bits=x",
        "permessage-deflate; client_max_window_bits=",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=\"15",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; mode=fast",
        "permessage-deflate;",
        "permessage-deflate,",
        ";",
        ",",
        "=",
        "permessage-deflate x",
        "\"permessage-deflate\""}) {
    refused(answer);
  }
  EXPECT_NE(refused("permessage-deflate; mode=fast").find("mode=fast"), std::string::npos);
  EXPECT_NE(refused("permessage-deflate; mode=fast").find("compress=False"), std::string::npos);
  options.window_bits = 10;
  refused("permessage-deflate");
  refused("permessage-deflate; server_max_window_bits=11");
  refused("permessage-deflate; server_max_window_bits=10; client_max_window_bits=11");
  options.window_bits = 15;
  options.context_takeover = false;
  refused("permessage-deflate");
  options.offered = false;
  refused("permessage-deflate");
}

TEST(DeflateTerms, AForbiddenAnswerRejectsTheConnection) {
  Session session(offering());
  session.feed(upgrade(session.request, "Sec-WebSocket-Extensions: permessage-deflate; mode=fast\r\n"));
  ASSERT_EQ(session.recorder.events.size(), 1U);
  EXPECT_EQ(session.recorder.events[0].substr(0, 8), "rejected");
  EXPECT_TRUE(session.recorder.failure.definitive);
}

}  // namespace
}  // namespace fastws::engine
