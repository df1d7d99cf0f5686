// Answers other than 101: status, headers and the first 4 KiB of the body, however they arrive.
#include "engine_peer.hpp"

namespace fastws::engine::peer {
namespace {

struct Rejection {
  bool before_end = false;  // it was known without the end of the connection
  Failure failure;
};

/// The rejection that an answer leads to, the same in every chunking.
Rejection rejection_by(const std::string& answer) {
  Rejection first;
  Dice random(9);
  for (const std::size_t largest : {std::size_t{0}, std::size_t{1}, std::size_t{11}, std::size_t{1000}}) {
    Session session;
    largest == 0 ? session.feed(answer) : session.feed_cut(answer, largest, random);
    const bool before_end = !session.recorder.events.empty();
    session.engine.end();
    session.engine.end();
    EXPECT_EQ(session.recorder.events.size(), 1U);
    EXPECT_EQ(session.recorder.terminal, 1);
    if (largest == 0) first = {before_end, session.recorder.failure};
    EXPECT_EQ(before_end, first.before_end);
    EXPECT_EQ(session.recorder.failure.body, first.failure.body);
    EXPECT_EQ(session.recorder.failure.message, first.failure.message);
  }
  return first;
}

TEST(EngineRejection, GivesStatusReasonAndHeaders) {
  const Rejection rejection = rejection_by("HTTP/1.1 404 Not Found\r\nX-A: 1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(rejection.failure.http_status, 404);
  EXPECT_EQ(rejection.failure.phase, Phase::http);
  EXPECT_FALSE(rejection.failure.definitive) << "the verdict on a status is not the engine's";
  EXPECT_EQ(rejection.failure.message,
            "the server answered 404 Not Found instead of opening a WebSocket (101)");
  EXPECT_EQ(rejection.failure.headers.at(0), (std::pair<std::string, std::string>{"X-A", "1"}));
  EXPECT_TRUE(rejection.before_end);
}

TEST(EngineRejection, AnAnswerInTlsIsKnownByItsFirstByte) {
  for (const std::string& answer :
       {std::string("\x15\x03\x01\x00\x02\x02\x46", 7), std::string("\x16\x03\x03\x00", 4)}) {
    const Rejection rejection = rejection_by(answer);
    EXPECT_EQ(rejection.failure.message,
              "the server's response is TLS, not HTTP: should the URL begin with wss://?");
    EXPECT_EQ(rejection.failure.phase, Phase::http);
    EXPECT_TRUE(rejection.before_end);
  }
}

TEST(EngineRejection, WaitsForTheContentLength) {
  const Rejection rejection =
      rejection_by("HTTP/1.1 503 Busy\r\nContent-Length: 11\r\n\r\nhello worldTRAILING");
  EXPECT_EQ(rejection.failure.body, "hello world");
  EXPECT_TRUE(rejection.before_end);
}

TEST(EngineRejection, ABodyCutShortIsGivenAsFarAsItCame) {
  const Rejection rejection = rejection_by("HTTP/1.1 503 Busy\r\nContent-Length: 11\r\n\r\nhello");
  EXPECT_EQ(rejection.failure.body, "hello");
  EXPECT_EQ(rejection.failure.http_status, 503);
  EXPECT_FALSE(rejection.before_end);
}

TEST(EngineRejection, WithoutALengthTheBodyEndsWithTheConnection) {
  const Rejection rejection = rejection_by("HTTP/1.1 403 Forbidden\r\n\r\nno entry");
  EXPECT_EQ(rejection.failure.body, "no entry");
  EXPECT_FALSE(rejection.before_end);
}

TEST(EngineRejection, JoinsChunks) {
  const Rejection rejection = rejection_by(
      "HTTP/1.1 500 Oops\r\nTransfer-Encoding: Chunked\r\nContent-Length: 3\r\n\r\n"
      "5;ext=1\r\nhello\r\n00A\r\n, big worl\r\n1\r\nd\r\n0\r\nTrailer: x\r\n\r\n");
  EXPECT_EQ(rejection.failure.body, "hello, big world");
  EXPECT_TRUE(rejection.before_end);
}

TEST(EngineRejection, ABadChunkSizeEndsTheBody) {
  const Rejection rejection = rejection_by(
      "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nffffffffffffffffff\r\nx");
  EXPECT_EQ(rejection.failure.body, "ok");
  EXPECT_TRUE(rejection.before_end);
}

TEST(EngineRejection, AnEndlessChunkLineEndsTheBody) {
  EXPECT_TRUE(rejection_by("HTTP/1.1 500 O\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(5000, '1'))
                  .before_end);
}

TEST(EngineRejection, TheBodyIsCutAt4KiB) {
  const std::string body(5000, 'b');
  const std::string kept(4096, 'b');
  EXPECT_EQ(rejection_by("HTTP/1.1 500 O\r\nContent-Length: 5000\r\n\r\n" + body).failure.body, kept);
  EXPECT_EQ(rejection_by("HTTP/1.1 500 O\r\n\r\n" + body).failure.body, kept);
  EXPECT_EQ(rejection_by("HTTP/1.1 500 O\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + body).failure.body,
            kept);
  EXPECT_TRUE(rejection_by("HTTP/1.1 500 O\r\n\r\n" + body).before_end);
}

TEST(EngineRejection, AnImpossibleContentLengthIsIgnored) {
  for (const char* length : {"-1", "99999999999999999999", "5, 5", "x"}) {
    const Rejection rejection =
        rejection_by(std::string("HTTP/1.1 500 O\r\nContent-Length: ") + length + "\r\n\r\nhello");
    EXPECT_EQ(rejection.failure.body, "hello") << length;
  }
}

TEST(EngineRejection, A204HasNoBody) {
  EXPECT_TRUE(rejection_by("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n").before_end);
}

TEST(EngineRejection, ASuccessThatIsNoUpgradeIsRejected) {
  EXPECT_EQ(rejection_by("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").failure.http_status, 200);
}

TEST(EngineRejection, ARedirectShowsItsLocation) {
  const Rejection rejection =
      rejection_by("HTTP/1.1 301\r\nLocation: wss://b.test/\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(rejection.failure.headers.at(0).second, "wss://b.test/");
  EXPECT_EQ(rejection.failure.message, "the server answered 301 instead of opening a WebSocket (101)");
}

TEST(EngineRejection, TheEndBeforeAnyResponse) {
  EXPECT_EQ(rejection_by("").failure.message, "the server ended the connection without a response");
}

TEST(EngineRejection, TheEndInTheMiddleOfTheHead) {
  EXPECT_EQ(rejection_by("HTTP/1.1 101 Switching Protocols\r\nUpgr").failure.message,
            "the server ended the connection in the middle of its response");
}

}  // namespace
}  // namespace fastws::engine::peer
