// Receiving: messages, fragments, control frames between them (RFC 6455 sections 5.4 to 5.6).
#include "engine_peer.hpp"

namespace fastws::engine::peer {
namespace {

TEST(EngineFrames, DeliversTextAndBinary) {
  const Outcome outcome = outcome_of(text("hello") + frame(0x82, std::string("\x00\xFF", 2)) + text(""));
  EXPECT_EQ(outcome.events, (Strings{"text hello", "binary " + std::string("\x00\xFF", 2), "text "}));
  EXPECT_TRUE(outcome.sent.empty());
  EXPECT_FALSE(outcome.finished);
}

TEST(EngineFrames, ReadsAllThreeLengthForms) {
  const std::string small(125, 'a');
  const std::string middle(126, 'b');
  const std::string large(65536, 'c');
  const Outcome outcome =
      outcome_of(text(small) + text(middle) + text(large) + text(std::string(65535, 'd')));
  EXPECT_EQ(outcome.events,
            (Strings{"text " + small, "text " + middle, "text " + large, "text " + std::string(65535, 'd')}));
}

TEST(EngineFrames, JoinsFragments) {
  const Outcome outcome =
      outcome_of(frame(0x01, "one ") + frame(0x00, "") + frame(0x00, "two ") + frame(0x80, "three"));
  EXPECT_EQ(outcome.events, (Strings{"text one two three"}));
}

TEST(EngineFrames, AMessageMayBeEmptyFragmentsOnly) {
  EXPECT_EQ(outcome_of(frame(0x02, "") + frame(0x80, "")).events, (Strings{"binary "}));
}

TEST(EngineFrames, AnswersAPingWithItsPayload) {
  const Outcome outcome = outcome_of(frame(0x89, "are you there") + frame(0x89, ""));
  EXPECT_TRUE(outcome.events.empty());
  EXPECT_EQ(outcome.sent, (Strings{"10:are you there", "10:"}));
}

TEST(EngineFrames, AnswersAPingBetweenFragmentsAtOnce) {
  Session session;
  session.open();
  session.feed(frame(0x01, "half ") + frame(0x89, "now"));
  EXPECT_EQ(frames_in(session.engine.output()), (Strings{"10:now"}));
  EXPECT_EQ(session.recorder.events, (Strings{"opened"}));
  session.feed(frame(0x80, "whole"));
  EXPECT_EQ(session.recorder.events.back(), "text half whole");
}

TEST(EngineFrames, ControlFramesBetweenFragmentsLeaveTheMessageAlone) {
  const Outcome outcome =
      outcome_of(frame(0x01, "\xE2\x82") + frame(0x89, "p") + frame(0x8A, "q") + frame(0x80, "\xAC"));
  EXPECT_EQ(outcome.events, (Strings{"pong q", "text \xE2\x82\xAC"}));
  EXPECT_EQ(outcome.sent, (Strings{"10:p"}));
}

TEST(EngineFrames, AControlFrameMayHold125Bytes) {
  const std::string payload(125, 'p');
  EXPECT_EQ(outcome_of(frame(0x89, payload)).sent, (Strings{"10:" + payload}));
}

TEST(EngineFrames, AControlFrameMayBeLargerThanTheMessageLimit) {
  const Outcome outcome =
      outcome_of(frame(0x01, "ab") + frame(0x89, std::string(100, 'p')) + frame(0x80, "cd"), {4, 65536});
  EXPECT_EQ(outcome.events, (Strings{"text abcd"}));
  EXPECT_EQ(outcome.sent.size(), 1U);
}

TEST(EngineFrames, GivingBuffersBackLeavesAMessageOnItsWayAlone) {
  const std::string large(1 << 20, 'x');
  const std::string whole = text(large);
  Session session;
  session.open();
  session.feed(whole);
  session.engine.give_back();
  session.feed(whole.substr(0, whole.size() / 2));
  session.engine.give_back();
  session.feed(whole.substr(whole.size() / 2));
  EXPECT_EQ(session.recorder.events, (Strings{"opened", "text " + large, "text " + large}));
}

TEST(EngineFrames, HandsOverAnUnsolicitedPong) {
  EXPECT_EQ(outcome_of(frame(0x8A, "x")).events, (Strings{"pong x"}));
}

TEST(EngineFrames, MessagesThatCameWholeLieWhereTheyWereFed) {
  Places watcher;
  Engine engine({"h", "/", {}, {}, "", ""}, {}, watcher);
  engine.start();
  const std::string before = upgrade(engine.output()) + frame(0x89, "ping");
  const std::string small = text("small");
  const std::string middle = frame(0x82, std::string(65535, 'm'));
  const std::string wire = before + small + middle + text("");
  engine.feed(wire.data(), wire.size());
  EXPECT_EQ(watcher.events, (Strings{"opened", "text small", "binary " + std::string(65535, 'm'), "text "}));
  const char* const begin = wire.data() + before.size();
  EXPECT_EQ(watcher.places, (std::vector<const char*>{begin + 2, begin + small.size() + 4,
                                                      begin + wire.size() - before.size()}));
}

TEST(EngineFrames, MessagesThatComeInPartsShareOneBuffer) {
  Places watcher;
  Engine engine({"h", "/", {}, {}, "", ""}, {}, watcher);
  engine.start();
  std::string wire = upgrade(engine.output());
  engine.feed(wire.data(), wire.size());
  wire = text(std::string(200, 'a'));
  for (int i = 0; i < 5; ++i) {
    engine.feed(wire.data(), 100);
    engine.feed(wire.data() + 100, wire.size() - 100);
  }
  ASSERT_EQ(watcher.places.size(), 5U);
  EXPECT_EQ(watcher.places, std::vector<const char*>(5, watcher.places.front()));
}

TEST(EngineFrames, AnAnnouncedLengthReservesLittle) {
  Recorder watcher;
  Engine engine({"h", "/", {}, {}, "", ""}, {std::size_t{1} << 40U, 65536}, watcher);
  engine.start();
  // A terabyte is announced, and within the limit: were it reserved, the engine would fail for want of
  // memory.
  const std::string wire = upgrade(engine.output()) + header64(0x82, std::uint64_t{1} << 40U) + "x";
  engine.feed(wire.data(), wire.size());
  EXPECT_EQ(watcher.events, (Strings{"opened"}));
}

}  // namespace
}  // namespace fastws::engine::peer
