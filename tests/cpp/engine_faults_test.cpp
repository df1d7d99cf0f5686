// What the peer must not do, one fact per test: the code, the report, and our Close frame (RFC 6455 section
// 7.1.7).
#include "engine_peer.hpp"

namespace fastws::engine::peer {
namespace {

std::string close_of(unsigned code) { return "8:" + close_payload(code); }

void expect_failure(const std::string& bytes, unsigned code, Phase phase, const Limits& limits = {}) {
  // A whole message before shows that it is delivered, one after that it is not.
  const Outcome outcome = outcome_of(text("before") + bytes + text("after"), limits);
  ASSERT_EQ(outcome.events.size(), 2U);
  EXPECT_EQ(outcome.events[0], "text before");
  EXPECT_EQ(outcome.events[1].substr(0, 12), "failed " + std::to_string(code) + " ");
  EXPECT_EQ(outcome.failure.phase, phase);
  ASSERT_EQ(outcome.sent.size(), 1U);
  EXPECT_EQ(outcome.sent[0].substr(0, 4), close_of(code));
  EXPECT_TRUE(outcome.finished);
}

void expect_protocol_error(const std::string& bytes) { expect_failure(bytes, 1002, Phase::protocol); }
void expect_bad_text(const std::string& bytes) { expect_failure(bytes, 1007, Phase::protocol); }

TEST(EngineFaults, Rsv1WithoutAnExtension) { expect_protocol_error(frame(0xC1, "x")); }
TEST(EngineFaults, Rsv2) { expect_protocol_error(frame(0xA1, "x")); }
TEST(EngineFaults, Rsv3) { expect_protocol_error(frame(0x91, "x")); }
TEST(EngineFaults, Rsv1OnAContinuation) { expect_protocol_error(frame(0x01, "x") + frame(0xC0, "y")); }
TEST(EngineFaults, Rsv2OnAContinuation) { expect_protocol_error(frame(0x01, "x") + frame(0xA0, "y")); }
TEST(EngineFaults, RsvOnAControlFrame) { expect_protocol_error(frame(0xC9, "x")); }

TEST(EngineFaults, ReservedDataOpcodes) {
  for (unsigned opcode = 3; opcode <= 7; ++opcode) expect_protocol_error(frame(0x80 | opcode, "x"));
}
TEST(EngineFaults, ReservedControlOpcodes) {
  for (unsigned opcode = 0xB; opcode <= 0xF; ++opcode) expect_protocol_error(frame(0x80 | opcode, ""));
}

TEST(EngineFaults, AFragmentedPing) { expect_protocol_error(frame(0x09, "x") + frame(0x80, "y")); }
TEST(EngineFaults, AFragmentedClose) { expect_protocol_error(frame(0x08, close_payload(1000))); }
TEST(EngineFaults, APingOf126Bytes) { expect_protocol_error(frame(0x89, std::string(126, 'p'))); }
TEST(EngineFaults, APingWithA64BitLength) { expect_protocol_error(header64(0x89, 70000)); }
TEST(EngineFaults, AContinuationOfNothing) { expect_protocol_error(frame(0x80, "x")); }
TEST(EngineFaults, ANewMessageInsideAFragmentedOne) { expect_protocol_error(frame(0x01, "x") + text("y")); }
TEST(EngineFaults, AMaskedFrame) { expect_protocol_error(std::string("\x81\x81\x00\x00\x00\x00x", 7)); }
TEST(EngineFaults, A16BitLengthThatFits7Bits) { expect_protocol_error(std::string("\x81\x7E\x00\x7Dx", 5)); }
TEST(EngineFaults, A64BitLengthThatFits16Bits) { expect_protocol_error(header64(0x82, 65535)); }
TEST(EngineFaults, ALengthWithTheHighestBit) {
  expect_protocol_error(header64(0x82, std::uint64_t{1} << 63U));
}

// 10 bytes, then a length that makes the sum 5: the processor alone would swallow whatever follows.
TEST(EngineFaults, AContinuationLengthThatWrapsAround) {
  expect_protocol_error(frame(0x02, std::string(10, 'x')) + header64(0x80, ~std::uint64_t{0} - 4) +
                        std::string(500, 'x'));
}
TEST(EngineFaults, AContinuationLengthThatWrapsAroundIsRefusedWithItsHeader) {
  Session session;
  session.open();
  session.feed(frame(0x02, std::string(10, 'x')) + header64(0x80, ~std::uint64_t{0} - 4));
  EXPECT_TRUE(session.engine.finished());
}

TEST(EngineFaults, AMessageAboveTheLimit) {
  expect_failure(text(std::string(101, 'x')), 1009, Phase::limit, {100, 65536});
}

TEST(EngineFaults, AMessageOfTheLimitIsFine) {
  EXPECT_EQ(outcome_of(text(std::string(100, 'x')), {100, 65536}).events,
            (Strings{"text " + std::string(100, 'x')}));
}
TEST(EngineFaults, FragmentsAboveTheLimit) {
  const std::string half(60, 'x');
  expect_failure(frame(0x01, half) + frame(0x80, half), 1009, Phase::limit, {100, 65536});
}
TEST(EngineFaults, FragmentsOfTheLimitAreFine) {
  const std::string half(50, 'x');
  EXPECT_EQ(outcome_of(frame(0x01, half) + frame(0x80, half), {100, 65536}).events.size(), 1U);
}
TEST(EngineFaults, ALimitIsSeenInTheHeader) {
  Session session({"h", "/", {}, {}, "", ""}, {100, 65536});
  session.open();
  session.feed(header64(0x81, 70000));
  EXPECT_EQ(session.recorder.events.back(),
            "failed 1009 The server sent a message of at least 70000 bytes; max_message_bytes is 100.");
}
TEST(EngineFaults, TheSizeOfAFragmentedMessageCountsWhatCameBefore) {
  Session session({"h", "/", {}, {}, "", ""}, {100, 65536});
  session.open();
  session.feed(frame(0x01, std::string(60, 'x')) + frame(0x80, std::string(61, 'x')));
  EXPECT_EQ(session.recorder.events.back(),
            "failed 1009 The server sent a message of at least 121 bytes; max_message_bytes is 100.");
}

TEST(EngineFaults, TextThatIsNotUtf8) { expect_bad_text(text("ab\xFFyz")); }
TEST(EngineFaults, TextThatEndsInsideACodePoint) { expect_bad_text(text("abc\xE2\x82")); }
TEST(EngineFaults, FragmentedTextThatEndsInsideACodePoint) {
  expect_bad_text(frame(0x01, "abc") + frame(0x80, "\xE2\x82"));
}
TEST(EngineFaults, FragmentedTextThatEndsInsideACodePointWithAnEmptyFrame) {
  expect_bad_text(frame(0x01, "abc\xE2\x82") + frame(0x80, ""));
}
TEST(EngineFaults, FragmentedTextWithAPongBeforeItsBadEnd) {
  const Outcome outcome = outcome_of(frame(0x01, "abc\xE2\x82") + frame(0x8A, "p") + frame(0x80, ""));
  ASSERT_EQ(outcome.events.size(), 2U);
  EXPECT_EQ(outcome.events[0], "pong p");
  EXPECT_EQ(outcome.events[1].substr(0, 11), "failed 1007");
}
TEST(EngineFaults, BadTextIsRefusedBeforeTheMessageEnds) {
  Session session;
  session.open();
  session.feed(header64(0x81, 70000) + "\xC0\x80");
  EXPECT_EQ(session.recorder.terminal, 1);
  EXPECT_EQ(frames_in(session.engine.output()).front().substr(0, 4), close_of(1007));
}
TEST(EngineFaults, ACodePointMaySpanFragments) {
  EXPECT_EQ(outcome_of(frame(0x01, "\xF0\x9F") + frame(0x00, "\x98") + frame(0x80, "\x80")).events,
            (Strings{"text \xF0\x9F\x98\x80"}));
}
TEST(EngineFaults, BinaryNeedNotBeUtf8) {
  EXPECT_EQ(outcome_of(frame(0x82, "\xFF")).events, (Strings{"binary \xFF"}));
}
TEST(EngineFaults, TheValidatorStartsAnewWithEveryMessage) {
  EXPECT_EQ(outcome_of(frame(0x82, "\xE2\x82") + text("\xE2\x82\xAC")).events.size(), 2U);
}

TEST(EngineFaults, AListenerThatRunsOutOfMemoryEndsTheConnection) {
  struct Thrower : Recorder {
    void message(Opcode, std::string_view) override { throw std::bad_alloc(); }
  } thrower;
  Engine engine({"h", "/", {}, {}, "", ""}, {}, thrower);
  engine.start();
  const std::string wire = upgrade(engine.output()) + text("a") + text("b");
  engine.output().clear();
  engine.feed(wire.data(), wire.size());
  ASSERT_EQ(thrower.events.size(), 2U);
  EXPECT_EQ(thrower.events[1].substr(0, 11), "failed 1009");
  EXPECT_EQ(frames_in(engine.output()).at(0).substr(0, 4), close_of(1009));
}

TEST(EngineFaults, WhatIsFedAfterTheEndIsIgnored) {
  Session session;
  session.open();
  session.feed(frame(0x83, ""));
  const std::size_t events = session.recorder.events.size();
  session.feed(text("more"));
  session.engine.end();
  session.engine.close(1000, "bye");
  EXPECT_EQ(session.recorder.events.size(), events);
  EXPECT_EQ(frames_in(session.engine.output()).size(), 1U);
}

}  // namespace
}  // namespace fastws::engine::peer
