// Seeded random bytes instead of a server: no crash, no exception, at most one end, the same in every
// chunking.
#include "engine_peer.hpp"

namespace fastws::engine::peer {
namespace {

/// Bytes that are nearly frames: right headers with now and then a wrong bit, so that deep states are
/// reached.
std::string nearly_frames(Dice& random) {
  const unsigned firsts[] = {0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8A, 0x88, 0xC1, 0x83, 0x0B};
  const std::string letters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xE2", "\xFF"};
  std::string bytes;
  for (unsigned frames = 1 + random() % 6; frames != 0; --frames) {
    const unsigned first = firsts[random() % (random() % 4 == 0 ? 12U : 8U)];
    std::string payload;
    for (unsigned count = random() % 12; count != 0; --count)
      payload += letters[random() % (random() % 8 == 0 ? 6U : 4U)];
    if (first == 0x88) payload = close_payload(1000 + random() % 20, payload);
    bytes +=
        random() % 50 == 0 ? header64(first, random() * std::uint64_t{0x100000001}) : frame(first, payload);
  }
  if (random() % 10 == 0) bytes[random() % bytes.size()] ^= static_cast<char>(1U << random() % 8);
  return bytes;
}

void expect_same(const std::string& bytes, Dice& random) {
  Session whole({"h", "/", {}, {}, "", ""}, {200, 1000});
  Session cut({"h", "/", {}, {}, "", ""}, {200, 1000});
  whole.open();
  cut.open();
  whole.feed(bytes);
  cut.feed_cut(bytes, 1 + random() % 9, random);
  ASSERT_LE(whole.recorder.terminal, 1);
  ASSERT_EQ(whole.recorder.events, cut.recorder.events) << ::testing::PrintToString(bytes);
  ASSERT_EQ(whole.engine.finished(), cut.engine.finished());
  ASSERT_EQ(frames_in(whole.engine.output()), frames_in(cut.engine.output()));
}

TEST(EngineGarbage, RandomBytesAfterTheHandshake) {
  Dice random(1);
  for (int round = 0; round < 50000; ++round) {
    std::string bytes(1 + random() % 60, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    expect_same(bytes, random);
    if (HasFatalFailure()) return;
  }
}

TEST(EngineGarbage, NearlyFramesAfterTheHandshake) {
  Dice random(2);
  for (int round = 0; round < 50000; ++round) {
    expect_same(nearly_frames(random), random);
    if (HasFatalFailure()) return;
  }
}

TEST(EngineGarbage, RandomAnswersToTheHandshake) {
  Dice random(4);
  const std::string pieces[] = {"HTTP/1.1 101 OK\r\n",
                                "HTTP/1.1 ",
                                "200",
                                " ",
                                "\r\n",
                                "\n",
                                ":",
                                "Upgrade: websocket\r\n",
                                "Content-Length: 5\r\n",
                                "Transfer-Encoding: chunked\r\n",
                                "\r\n\r\n",
                                "5\r\nhello\r\n",
                                "0\r\n\r\n",
                                std::string(1, '\0'),
                                "\xFF",
                                "Connection: Upgrade\r\n"};
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = random() % 4 == 0 ? "" : "HTTP/1.1 500 O\r\n";
    for (unsigned count = random() % 12; count != 0; --count) bytes += pieces[random() % 16];
    Session whole;
    Session cut;
    whole.feed(bytes);
    cut.feed_cut(bytes, 1 + random() % 9, random);
    whole.engine.end();
    cut.engine.end();
    ASSERT_EQ(whole.recorder.terminal, 1);
    ASSERT_EQ(whole.recorder.events, cut.recorder.events) << ::testing::PrintToString(bytes);
    ASSERT_EQ(whole.recorder.failure.body, cut.recorder.failure.body) << ::testing::PrintToString(bytes);
  }
}

}  // namespace
}  // namespace fastws::engine::peer
