// Framing and masking what we send, and the keys it is masked with (RFC 6455 sections 5.2, 5.3).
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "../../cpp/engine/random.hpp"
#include "engine_peer.hpp"

namespace fastws::engine::peer {
namespace {

TEST(EngineOutgoing, EveryLengthFormIsReadBack) {
  for (const std::size_t size : {0, 1, 7, 8, 9, 125, 126, 127, 65535, 65536, 100000}) {
    std::string payload(size, '\0');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 7 + i / 256);
    std::string wire;
    append_frame(wire, Opcode::binary, payload);
    EXPECT_EQ(wire.size(), frame_size(size));
    EXPECT_EQ(frames_in(wire), (Strings{"2:" + payload})) << size;
  }
}

TEST(EngineOutgoing, LengthsAreMinimallyEncoded) {
  EXPECT_EQ(frame_size(125), 125U + 6);
  EXPECT_EQ(frame_size(126), 126U + 8);
  EXPECT_EQ(frame_size(65535), 65535U + 8);
  EXPECT_EQ(frame_size(65536), 65536U + 14);
}

TEST(EngineOutgoing, FramesAreAppended) {
  std::string wire;
  append_frame(wire, Opcode::text, "one");
  append_frame(wire, Opcode::ping, "two");
  append_frame(wire, Opcode::text, "");
  EXPECT_EQ(frames_in(wire), (Strings{"1:one", "9:two", "1:"}));
}

TEST(EngineOutgoing, EveryFrameHasAKeyOfItsOwn) {
  std::set<std::string> keys;
  for (int i = 0; i < 2000; ++i) {
    std::string wire;
    append_frame(wire, Opcode::text, "x");
    keys.insert(wire.substr(2, 4));
  }
  EXPECT_GT(keys.size(), 1990U);  // 2000 draws of 2^32 collide with a chance of 0.05 %
}

TEST(EngineRandom, BytesLookEvenlySpread) {
  std::string bytes(100000, '\0');
  random_bytes(bytes.data(), bytes.size());
  std::vector<int> counts(256);
  for (const char c : bytes) ++counts[static_cast<unsigned char>(c)];
  for (const int count : counts) EXPECT_NEAR(count, 391, 160);  // 8 standard deviations
}

TEST(EngineRandom, ThreadsDrawDifferentBytes) {
  std::string first(64, '\0');
  std::string second(64, '\0');
  std::thread one([&] { random_bytes(first.data(), first.size()); });
  std::thread two([&] { random_bytes(second.data(), second.size()); });
  one.join();
  two.join();
  EXPECT_NE(first, second);
}

TEST(EngineRandom, AForkedChildDoesNotRepeatItsParentsKeys) {
  random_u32();  // now the buffer is filled
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  std::string mine(64, '\0');
  if (child == 0) {
    random_bytes(mine.data(), mine.size());
    const bool written = write(ends[1], mine.data(), mine.size()) == static_cast<ssize_t>(mine.size());
    _exit(written ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  random_bytes(mine.data(), mine.size());
  std::string theirs(64, '\0');
  ASSERT_EQ(read(ends[0], theirs.data(), theirs.size()), 64);
  EXPECT_NE(mine, theirs);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace fastws::engine::peer
