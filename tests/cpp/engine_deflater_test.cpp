// Sending compressed messages, with zlib itself as the other side.
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "../../cpp/engine/deflater.hpp"
#include "engine_peer.hpp"

namespace fastws::engine {
namespace {

using namespace peer;

constexpr unsigned kText = 0xC1;  // FIN, RSV1

/// What a whole raw stream inflates to: every message with its trailer put back.
std::string unpack(const std::string& stream) {
  z_stream z{};
  inflateInit2(&z, -15);
  std::string out(std::size_t{4} << 20, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stream.data()));
  z.avail_in = static_cast<uInt>(stream.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::inflate(&z, Z_SYNC_FLUSH), Z_OK);
  out.resize(out.size() - z.avail_out);
  inflateEnd(&z);
  return out;
}

std::string long_text() {
  std::string text;
  for (int count = 0; count < 2000; ++count) text += "{\"n\":" + std::to_string(count) + "},\u00e9";
  return text;
}

/// One client frame: its first byte and the unmasked payload.
std::pair<unsigned, std::string> sent(const std::string& wire) {
  std::string copy = wire;
  const auto first = static_cast<unsigned char>(copy[0]);
  copy[0] = static_cast<char>(first & 0xBFU);
  return {first, frames_in(copy).at(0).substr(2)};
}

struct Sender {
  explicit Sender(const DeflateTerms& terms, DeflateOptions options = {}) : deflater(terms, options) {}

  /// The payload on the wire; nullopt-like "" when it went plain.
  std::string send(const std::string& payload) {
    std::string wire;
    deflater.append_frame(wire, Opcode::text, payload);
    const auto [first, body] = sent(wire);
    compressed = first == kText;
    EXPECT_EQ(first | 0x40U, kText);
    return body;
  }

  Deflater deflater;
  bool compressed = false;
};

TEST(Deflating, KeepsTheContext) {
  Sender one(DeflateTerms{});
  const std::string big = long_text();
  std::string stream;
  std::size_t first = 0;
  for (int count = 0; count < 5; ++count) {
    const std::string body = one.send(big);
    EXPECT_TRUE(one.compressed);
    if (count == 0) first = body.size();
    if (count != 0) {
      EXPECT_LT(body.size(), first / 5);
    }
    stream += body + std::string("\x00\x00\xff\xff", 4);
  }
  EXPECT_EQ(unpack(stream), big + big + big + big + big);
}

TEST(Deflating, RefersToNothingThatWasForgotten) {
  Sender one(DeflateTerms{});
  const std::string big = long_text();
  const std::string first = one.send(big);
  one.deflater.forget();
  const std::string second = one.send(big);
  EXPECT_GT(second.size(), first.size() / 2);
  EXPECT_EQ(unpack(second + std::string("\x00\x00\xff\xff", 4)), big);
}

TEST(Deflating, SmallOnesGoPlain) {
  DeflateOptions options;
  options.threshold = 10;
  Sender one(DeflateTerms{}, options);
  EXPECT_EQ(one.send("123456789"), "123456789");
  EXPECT_FALSE(one.compressed);
  const std::string body = one.send("1234567890");
  EXPECT_TRUE(one.compressed);
  EXPECT_EQ(unpack(body + std::string("\x00\x00\xff\xff", 4)), "1234567890");
  options.threshold = 0;
  Sender all(DeflateTerms{}, options);
  EXPECT_EQ(all.send(""), "");
  EXPECT_EQ(all.send(""), "");
}

TEST(Deflating, WithoutTakeoverEachStandsForItselfAndGrowsNever) {
  DeflateTerms terms;
  terms.client_takeover = false;
  Sender one(terms);
  const std::string big = long_text();
  for (int count = 0; count < 3; ++count) {
    EXPECT_EQ(unpack(one.send(big) + std::string("\x00\x00\xff\xff", 4)), big);
  }
  std::string noise;
  Dice dice(5);
  while (noise.size() < 5000) noise += static_cast<char>(dice());
  EXPECT_EQ(one.send(noise), noise);
  EXPECT_FALSE(one.compressed);
}

TEST(Deflating, IntoAWindowOf8BitsGoesPlain) {
  DeflateTerms terms;
  terms.client_bits = 8;
  Sender one(terms);
  EXPECT_EQ(one.send(long_text()), long_text());
  EXPECT_FALSE(one.compressed);
}

TEST(Deflating, ASmallWindowIsKept) {
  // What repeats farther away than 512 bytes can not be referred to.
  std::string far;
  Dice dice(7);
  while (far.size() < 2000) far += static_cast<char>('a' + dice() % 26);
  DeflateTerms small;
  small.client_bits = 9;
  Sender one(small);
  Sender full(DeflateTerms{});
  EXPECT_GT(one.send(far + far).size(), full.send(far + far).size() * 3 / 2);
}

TEST(Deflating, LargeOnesComeBackWhole) {
  Sender one(DeflateTerms{});
  std::string large;
  Dice dice(11);
  while (large.size() < (std::size_t{3} << 20)) large += std::to_string(dice());
  EXPECT_EQ(unpack(one.send(large) + std::string("\x00\x00\xff\xff", 4)), large);
}

}  // namespace
}  // namespace fastws::engine
