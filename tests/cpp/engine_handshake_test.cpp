// The opening handshake: what we ask, and which answers open a connection (RFC 6455 sections 4.1, 4.2.2).
#include <set>

#include "engine_peer.hpp"

namespace fastws::engine::peer {
namespace {

Request plain() { return {"example.test", "/", {}, {}, "", ""}; }

TEST(EngineHandshake, AsksForAWebSocket) {
  const Session session({"example.test:8080", "/chat?x=1", {}, {}, "", ""});
  EXPECT_EQ(session.request.substr(0, 28), "GET /chat?x=1 HTTP/1.1\r\nHost");
  EXPECT_EQ(header_of(session.request, "Host"), "example.test:8080");
  EXPECT_EQ(header_of(session.request, "Upgrade"), "websocket");
  EXPECT_EQ(header_of(session.request, "Connection"), "Upgrade");
  EXPECT_EQ(header_of(session.request, "Sec-WebSocket-Version"), "13");
  EXPECT_EQ(session.request.substr(session.request.size() - 4), "\r\n\r\n");
}

TEST(EngineHandshake, SendsNothingThatWasNotAskedFor) {
  const Session session(plain());
  for (const char* name : {"Origin", "User-Agent", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"}) {
    EXPECT_EQ(header_of(session.request, name), "<none>") << name;
  }
}

TEST(EngineHandshake, KeepsTheBracketsOfAnIpv6Host) {
  EXPECT_EQ(header_of(Session({"[::1]:9001", "/", {}, {}, "", ""}).request, "Host"), "[::1]:9001");
}

TEST(EngineHandshake, SendsOriginUserAgentAndSubprotocols) {
  const Session session({"h", "/", {}, {"chat.v2", "chat.v1"}, "https://example.test", "fastws/1"});
  EXPECT_EQ(header_of(session.request, "Origin"), "https://example.test");
  EXPECT_EQ(header_of(session.request, "User-Agent"), "fastws/1");
  EXPECT_EQ(header_of(session.request, "Sec-WebSocket-Protocol"), "chat.v2, chat.v1");
}

TEST(EngineHandshake, SendsExtraHeadersAsGiven) {
  const Session session({"h", "/", {{"x-Case", "Kept "}, {"Cookie", "a=1"}, {"Cookie", "b=2"}}, {}, "", ""});
  EXPECT_NE(session.request.find("\r\nx-Case: Kept \r\nCookie: a=1\r\nCookie: b=2\r\n"), std::string::npos);
}

TEST(EngineHandshake, AnExtraHeaderReplacesOurs) {
  const Session session({"ours", "/", {{"host", "theirs"}, {"user-agent", "mine"}}, {}, "", "fastws"});
  EXPECT_EQ(header_of(session.request, "Host"), "<none>");
  EXPECT_EQ(header_of(session.request, "host"), "theirs");
  EXPECT_EQ(header_of(session.request, "User-Agent"), "<none>");
}

TEST(EngineHandshake, TheKeyIs16BytesAndNeverTheSame) {
  std::set<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    const std::string key = header_of(Session(plain()).request, "Sec-WebSocket-Key");
    EXPECT_EQ(websocketpp::base64_decode(key).size(), 16U);
    keys.insert(key);
  }
  EXPECT_EQ(keys.size(), 100U);
}

TEST(EngineHandshake, KnowsTheAcceptKeyOfTheRfc) {  // section 1.3
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/// What the listener is told of an answer, however it is cut.
Strings answered(const std::string& more, const Request& request = plain(), const std::string& after = "") {
  Strings first;
  Dice random(3);
  for (const std::size_t largest : {std::size_t{0}, std::size_t{1}, std::size_t{13}}) {
    Session session(request);
    const std::string answer = upgrade(session.request, more) + after;
    largest == 0 ? session.feed(answer) : session.feed_cut(answer, largest, random);
    session.engine.end();
    if (largest == 0) first = session.recorder.events;
    EXPECT_EQ(session.recorder.events, first);
  }
  return first;
}

TEST(EngineHandshake, OpensInAnyChunking) { EXPECT_EQ(answered(""), (Strings{"opened"})); }

TEST(EngineHandshake, FramesMayArriveWithTheResponse) {
  EXPECT_EQ(answered("", plain(), text("hi") + text("there")), (Strings{"opened", "text hi", "text there"}));
}

TEST(EngineHandshake, ReportsTheResponse) {
  Session session({"h", "/", {}, {"a", "b"}, "", ""});
  session.feed(upgrade(session.request, "Sec-WebSocket-Protocol:  b \r\nX-Two: 1\r\nX-Two: 2\r\n"));
  const Response& response = session.recorder.response;
  EXPECT_EQ(response.status, 101);
  EXPECT_EQ(response.reason, "Switching Protocols");
  EXPECT_EQ(response.subprotocol, "b");
  EXPECT_TRUE(response.body.empty());
  EXPECT_EQ(response.headers.size(), 6U);
  EXPECT_EQ(response.headers.back(), (std::pair<std::string, std::string>{"X-Two", "2"}));
}

TEST(EngineHandshake, TheServerNeedNotChooseASubprotocol) {
  EXPECT_EQ(answered("", {"h", "/", {}, {"a"}, "", ""}), (Strings{"opened"}));
}

TEST(EngineHandshake, InterimResponsesAreSkipped) {
  Session session(plain());
  session.feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" +
               upgrade(session.request) + text("hi"));
  EXPECT_EQ(session.recorder.events, (Strings{"opened", "text hi"}));
}

TEST(EngineHandshake, AContentLengthOnA101TakesNoFrames) {
  EXPECT_EQ(answered("Content-Length: 4\r\n", plain(), text("hi")), (Strings{"opened", "text hi"}));
}

TEST(EngineHandshake, UpgradeAndConnectionAreListsInAnyCase) {
  Session session(plain());
  session.feed(
      "HTTP/1.1 101\r\nupgrade: WebSocket\r\nCONNECTION: keep-alive, upgrade\r\nsec-websocket-accept: " +
      accept_key(header_of(session.request, "Sec-WebSocket-Key")) + "\r\n\r\n");
  EXPECT_EQ(session.recorder.events, (Strings{"opened"}));
}

TEST(EngineHandshake, AFoldedHeaderLineIsUnfolded) {
  Session session(plain());
  session.feed(upgrade(session.request, "X-Long: one\r\n\t two\r\n"));
  EXPECT_EQ(session.recorder.response.headers.back().second, "one two");
}

/// Feeds the answer and expects one rejection, after which nothing is reported any more.
Failure rejection(const std::string& answer, const Request& request = plain(), const Limits& limits = {}) {
  Failure first;
  Dice random(5);
  for (const std::size_t largest : {std::size_t{0}, std::size_t{1}, std::size_t{13}}) {
    Session session(request, limits);
    std::string all = answer;
    const std::size_t place = all.find("{key}");
    if (place != std::string::npos)
      all.replace(place, 5, accept_key(header_of(session.request, "Sec-WebSocket-Key")));
    largest == 0 ? session.feed(all) : session.feed_cut(all, largest, random);
    session.feed(text("late") + frame(0x88, ""));
    session.engine.end();
    EXPECT_EQ(session.recorder.events.size(), 1U);
    EXPECT_EQ(session.recorder.events.at(0).substr(0, 8), "rejected");
    EXPECT_TRUE(session.engine.output().empty());
    EXPECT_TRUE(session.engine.finished());
    EXPECT_EQ(session.recorder.failure.phase, Phase::http);
    if (largest == 0) first = session.recorder.failure;
    EXPECT_EQ(session.recorder.failure.message, first.message);
  }
  return first;
}

std::string head(const std::string& lines) { return "HTTP/1.1 101 Switching Protocols\r\n" + lines + "\r\n"; }
const char* const kUpgrade = "Upgrade: websocket\r\n";
const char* const kConnection = "Connection: Upgrade\r\n";
const char* const kAccept = "Sec-WebSocket-Accept: {key}\r\n";

TEST(EngineHandshake, AWrongAcceptKeyIsDefinitive) {
  const Failure failure = rejection(
      head(std::string(kUpgrade) + kConnection + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_TRUE(failure.definitive);
  EXPECT_NE(failure.message.find("Sec-WebSocket-Accept"), std::string::npos);
  EXPECT_EQ(failure.headers.size(), 3U);
}
TEST(EngineHandshake, AMissingAcceptKeyIsDefinitive) {
  EXPECT_TRUE(rejection(head(std::string(kUpgrade) + kConnection)).definitive);
}
TEST(EngineHandshake, ASecondAcceptKeyIsDefinitive) {
  EXPECT_TRUE(rejection(head(std::string(kUpgrade) + kConnection + kAccept + "Sec-WebSocket-Accept: x\r\n"))
                  .definitive);
}
TEST(EngineHandshake, AMissingUpgradeHeaderIsDefinitive) {
  EXPECT_TRUE(rejection(head(std::string(kConnection) + kAccept)).definitive);
}
TEST(EngineHandshake, AnUpgradeToSomethingElseIsDefinitive) {
  EXPECT_TRUE(rejection(head(std::string("Upgrade: notwebsocket\r\n") + kConnection + kAccept)).definitive);
}
TEST(EngineHandshake, AMissingConnectionHeaderIsDefinitive) {
  EXPECT_TRUE(rejection(head(std::string(kUpgrade) + kAccept)).definitive);
}
TEST(EngineHandshake, AnExtensionNobodyOfferedIsRejectedOnce) {
  const Failure failure = rejection(head(std::string(kUpgrade) + kConnection + kAccept +
                                         "Sec-WebSocket-Extensions: permessage-deflate\r\n"));
  EXPECT_TRUE(failure.definitive);
  EXPECT_NE(failure.message.find("permessage-deflate"), std::string::npos);
}
TEST(EngineHandshake, AMalformedExtensionIsRejectedOnce) {
  rejection(head(std::string(kUpgrade) + kConnection + kAccept + "Sec-WebSocket-Extensions: ;;=\r\n"));
}
TEST(EngineHandshake, ASubprotocolNobodyAskedForIsDefinitive) {
  const std::string answer =
      head(std::string(kUpgrade) + kConnection + kAccept + "Sec-WebSocket-Protocol: chat\r\n");
  EXPECT_TRUE(rejection(answer).definitive);
  EXPECT_TRUE(rejection(answer, {"h", "/", {}, {"CHAT", "other"}, "", ""}).definitive)
      << "compared with its case";
}
TEST(EngineHandshake, TwoSubprotocolsAreDefinitive) {
  const std::string two = "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n";
  EXPECT_TRUE(
      rejection(head(std::string(kUpgrade) + kConnection + kAccept + two), {"h", "/", {}, {"a", "b"}, "", ""})
          .definitive);
}

TEST(EngineHandshake, AHeadAboveTheLimitIsRejected) {
  const Failure failure = rejection(head("X: " + std::string(500, 'x') + "\r\n"), plain(), {100, 400});
  EXPECT_EQ(failure.message, "the server's response has a head of more than 400 bytes (max_response_bytes)");
  EXPECT_FALSE(failure.definitive);
}
TEST(EngineHandshake, EndlessInterimResponsesAreRejected) {
  std::string interim;
  for (int i = 0; i < 40; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  rejection(interim, plain(), {100, 400});
}
TEST(EngineHandshake, AHeadOf60KiBIsFine) {
  EXPECT_EQ(answered("X: " + std::string(60000, 'x') + "\r\n"), (Strings{"opened"}));
}
TEST(EngineHandshake, SomethingThatIsNotHttpIsRejected) {
  EXPECT_NE(rejection("SSH-2.0-OpenSSH_9.2\r\n").message.find("not HTTP"), std::string::npos);
  rejection("\r\n\r\n");
  rejection("HTTP/2 101\r\n\r\n");
  rejection("HTTP/1.1 1x1 Odd\r\n\r\n");
}
TEST(EngineHandshake, BrokenHeaderLinesAreRejected) {
  rejection(head("no colon\r\n"));
  rejection(head(": no name\r\n"));
  rejection(head("space before : x\r\n"));
  rejection(head(std::string("X: a\0b\r\n", 8)));
  rejection(head("X: a\rb\r\n"));
  rejection(head(" folded from nothing\r\n"));
}

}  // namespace
}  // namespace fastws::engine::peer
