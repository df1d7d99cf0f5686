// The closing handshake, from either side (RFC 6455 sections 5.5.1, 7).
#include "engine_peer.hpp"

namespace fastws::engine::peer {
namespace {

TEST(EngineClose, ReportsAndEchoesThePeersCode) {
  const Outcome outcome = outcome_of(frame(0x88, close_payload(4321, "see you \xE2\x82\xAC")));
  EXPECT_EQ(outcome.events, (Strings{"closed 4321 see you \xE2\x82\xAC"}));
  EXPECT_EQ(outcome.sent, (Strings{"8:" + close_payload(4321)}));
  EXPECT_TRUE(outcome.finished);
}

TEST(EngineClose, AnEmptyCloseIs1005AndIsAnsweredEmpty) {
  const Outcome outcome = outcome_of(frame(0x88, ""));
  EXPECT_EQ(outcome.events, (Strings{"closed 1005 "}));
  EXPECT_EQ(outcome.sent, (Strings{"8:"}));
}

TEST(EngineClose, AllowedCodesAreReportedAsReceived) {
  for (const unsigned code : {1000U, 1001U, 1002U, 1003U, 1007U, 1011U, 1012U, 1013U, 1014U, 3000U, 4999U}) {
    EXPECT_EQ(outcome_of(frame(0x88, close_payload(code))).events,
              (Strings{"closed " + std::to_string(code) + " "}));
  }
}

TEST(EngineClose, ForbiddenCodesAreAProtocolError) {
  for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 2999U, 5000U, 65535U}) {
    const Outcome outcome = outcome_of(frame(0x88, close_payload(code)));
    ASSERT_EQ(outcome.events.size(), 1U) << code;
    EXPECT_EQ(outcome.events[0].substr(0, 11), "failed 1002") << code;
    EXPECT_EQ(outcome.sent.at(0).substr(0, 4), "8:" + close_payload(1002)) << code;
  }
}

TEST(EngineClose, APayloadOfOneByteIsAProtocolError) {
  EXPECT_EQ(outcome_of(frame(0x88, "\x03")).events.at(0).substr(0, 11), "failed 1002");
}

TEST(EngineClose, AReasonThatIsNotUtf8IsBadData) {
  const Outcome outcome = outcome_of(frame(0x88, close_payload(1000, "\xC3")));
  EXPECT_EQ(outcome.events.at(0).substr(0, 11), "failed 1007");
  EXPECT_EQ(outcome.sent.at(0).substr(0, 4), "8:" + close_payload(1007));
}

TEST(EngineClose, NothingIsReadAfterThePeersClose) {
  const Outcome outcome = outcome_of(frame(0x88, close_payload(1000)) + text("late") + frame(0x89, "late") +
                                     frame(0xFF, "") + frame(0x88, close_payload(1001)));
  EXPECT_EQ(outcome.events, (Strings{"closed 1000 "}));
  EXPECT_EQ(outcome.sent.size(), 1U);
}

TEST(EngineClose, ACloseBetweenFragmentsCloses) {
  EXPECT_EQ(outcome_of(frame(0x01, "half") + frame(0x88, close_payload(1001))).events,
            (Strings{"closed 1001 "}));
}

TEST(EngineClose, OurCloseIsSentOnceAndAnsweredByThePeer) {
  Session session;
  session.open();
  session.engine.close(1000, "done");
  session.engine.close(1001, "again");
  EXPECT_EQ(frames_in(session.engine.output()), (Strings{"8:" + close_payload(1000, "done")}));
  EXPECT_FALSE(session.engine.finished());
  session.engine.output().clear();
  session.feed(frame(0x88, close_payload(1000, "done")));
  EXPECT_EQ(session.recorder.events.back(), "closed 1000 done");
  EXPECT_TRUE(session.engine.output().empty()) << "a Close frame is not answered twice";
  EXPECT_TRUE(session.engine.finished());
}

// websocketpp's connection would end at once with these codes, without waiting for the answer.
TEST(EngineClose, ACodeThatReportsAnErrorStillWaitsForTheAnswer) {
  Session session;
  session.open();
  session.engine.close(1011, "keep-alive timeout");
  EXPECT_FALSE(session.engine.finished());
  session.feed(frame(0x88, close_payload(1011)));
  EXPECT_EQ(session.recorder.events.back(), "closed 1011 ");
}

// What the peer sent before it saw our Close frame is still its word; only an answer may not follow that frame.
TEST(EngineClose, AfterOurCloseWhatArrivesIsReportedAndNothingIsAnswered) {
  Session session;
  session.open();
  session.engine.close(1000, "");
  session.engine.output().clear();
  session.feed(text("late") + frame(0x89, "ping") + frame(0x8A, "pong"));
  EXPECT_EQ(session.recorder.events, (Strings{"opened", "text late", "pong pong"}));
  EXPECT_TRUE(session.engine.output().empty());
}

TEST(EngineClose, AFaultAfterOurCloseIsReportedWithoutASecondClose) {
  Session session;
  session.open();
  session.engine.close(1000, "");
  session.engine.output().clear();
  session.feed(frame(0x83, ""));
  EXPECT_EQ(session.recorder.events.back().substr(0, 11), "failed 1002");
  EXPECT_TRUE(session.engine.output().empty());
  EXPECT_TRUE(session.engine.finished());
}

TEST(EngineClose, ALongReasonIsCutBetweenCodePoints) {
  Session session;
  session.open();
  std::string reason(121, 'r');
  session.engine.close(1000, reason + "\xE2\x82\xAC and more");
  EXPECT_EQ(frames_in(session.engine.output()), (Strings{"8:" + close_payload(1000, reason)}));
}

TEST(EngineClose, AReasonOf123BytesIsSentWhole) {
  Session session;
  session.open();
  const std::string reason = std::string(120, 'r') + "\xE2\x82\xAC";
  session.engine.close(1000, reason);
  EXPECT_EQ(frames_in(session.engine.output()), (Strings{"8:" + close_payload(1000, reason)}));
}

TEST(EngineClose, AReasonThatIsNotUtf8IsLeftOut) {
  Session session;
  session.open();
  session.engine.close(1000, "\xFF");
  EXPECT_EQ(frames_in(session.engine.output()), (Strings{"8:" + close_payload(1000)}));
}

TEST(EngineClose, ACodeForbiddenOnTheWireIsLeftOut) {
  Session session;
  session.open();
  session.engine.close(1005, "none");
  EXPECT_EQ(frames_in(session.engine.output()), (Strings{"8:"}));
}

TEST(EngineClose, BeforeTheHandshakeIsOverNothingHappens) {
  Session session;
  session.engine.close(1000, "");
  EXPECT_TRUE(session.engine.output().empty());
  session.open();
  EXPECT_EQ(session.recorder.events, (Strings{"opened"}));
}

TEST(EngineClose, MayBeCalledFromInsideAMessage) {
  struct Closer : Recorder {
    Engine* engine = nullptr;
    std::string taken;
    void message(Opcode opcode, std::string_view payload) override {
      Recorder::message(opcode, payload);
      engine->close(1000, "enough");
      taken += engine->output();
      engine->output().clear();
    }
  } closer;
  Engine engine({"h", "/", {}, {}, "", ""}, {}, closer);
  closer.engine = &engine;
  engine.start();
  const std::string wire =
      upgrade(engine.output()) + text("one") + text("two") + frame(0x88, close_payload(1000));
  engine.output().clear();
  engine.feed(wire.data(), wire.size());
  EXPECT_EQ(closer.events, (Strings{"opened", "text one", "text two", "closed 1000 "}));
  EXPECT_EQ(frames_in(closer.taken), (Strings{"8:" + close_payload(1000, "enough")}));
  EXPECT_TRUE(engine.output().empty());
}

TEST(EngineClose, MayBeCalledFromInsideOpened) {
  struct Closer : Recorder {
    Engine* engine = nullptr;
    void opened(Response given) override {
      Recorder::opened(std::move(given));
      engine->close(1001, "");
    }
  } closer;
  Engine engine({"h", "/", {}, {}, "", ""}, {}, closer);
  closer.engine = &engine;
  engine.start();
  const std::string wire = upgrade(engine.output()) + text("one");
  engine.output().clear();
  engine.feed(wire.data(), wire.size());
  EXPECT_EQ(closer.events, (Strings{"opened", "text one"}));
  EXPECT_EQ(frames_in(engine.output()), (Strings{"8:" + close_payload(1001)}));
}

TEST(EngineClose, TheEndOfTheTransportIsNotReported) {
  Session session;
  session.open();
  session.engine.end();
  session.feed(text("late"));
  EXPECT_EQ(session.recorder.events, (Strings{"opened"}));
}

}  // namespace
}  // namespace fastws::engine::peer
