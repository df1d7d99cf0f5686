// Receiving compressed messages, with zlib itself as the other side.
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "engine_peer.hpp"

namespace fastws::engine {
namespace {

using namespace peer;
using Strings = std::vector<std::string>;

constexpr unsigned kText = 0xC1;    // FIN, RSV1
constexpr unsigned kBinary = 0xC2;  // FIN, RSV1

/// The server's compressor: one context, flushed at the end of every message.
class Packer {
 public:
  explicit Packer(int bits = 15) { deflateInit2(&z_, 6, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY); }
  ~Packer() { deflateEnd(&z_); }

  std::string run(std::string_view bytes, int flush) {
    std::string out(bytes.size() + bytes.size() / 100 + 100, '\0');
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z_.avail_in = static_cast<uInt>(bytes.size());
    z_.next_out = reinterpret_cast<Bytef*>(out.data());
    z_.avail_out = static_cast<uInt>(out.size());
    ::deflate(&z_, flush);
    out.resize(out.size() - z_.avail_out);
    return out;
  }
  std::string operator()(std::string_view bytes) {
    std::string out = run(bytes, Z_SYNC_FLUSH);
    out.resize(out.size() - 4);
    return out;
  }

 private:
  z_stream z_{};
};

Request offering(DeflateOptions options = {}) {
  Request request{"h", "/", {}, {}, "", "", options};
  request.deflate.offered = true;
  return request;
}

struct Deflated : Session {
  explicit Deflated(const std::string& answer = "permessage-deflate", const Limits& limits = {},
                    DeflateOptions options = {})
      : Session(offering(options), limits) {
    feed(upgrade(request, "Sec-WebSocket-Extensions: " + answer + "\r\n"));
    EXPECT_EQ(recorder.events, (Strings{"opened"}));
    recorder.events.clear();
  }
};

std::string long_text() {
  std::string text;
  for (int count = 0; count < 2000; ++count) text += "{\"n\":" + std::to_string(count) + "},\u00e9";
  return text;
}

TEST(EngineDeflate, MessagesShareTheContext) {
  Deflated session;
  Packer pack;
  const std::string big = long_text();
  const std::string first = pack(big);
  const std::string again = pack(big);
  EXPECT_LT(again.size(), first.size() / 5);  // it refers to the first
  session.feed(frame(kText, first) + frame(kText, again) + text("plain") + frame(kBinary, pack("bytes")));
  EXPECT_EQ(session.recorder.events, (Strings{"text " + big, "text " + big, "text plain", "binary bytes"}));
}

TEST(EngineDeflate, AnyCutOfTheBytesGivesTheSame) {
  Packer pack;
  const std::string big = long_text();
  std::string wire = frame(kText, pack("one")) + frame(0x89, "ping");
  const std::string packed = pack(big);
  wire += frame(0x41, packed.substr(0, 7)) + frame(0x8A, "pong") + frame(0x00, "") +
          frame(0x80, packed.substr(7));
  for (const std::size_t largest : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
    Deflated session;
    Dice dice(1);
    session.feed_cut(wire, largest, dice);
    EXPECT_EQ(session.recorder.events, (Strings{"text one", "pong pong", "text " + big})) << largest;
  }
}

TEST(EngineDeflate, WithoutTakeoverEveryMessageStandsForItself) {
  Deflated session("permessage-deflate; server_no_context_takeover");
  for (int count = 0; count < 3; ++count) session.feed(frame(kText, Packer()("the very same text")));
  EXPECT_EQ(session.recorder.events.size(), 3U);
  EXPECT_EQ(session.recorder.events.back(), "text the very same text");
}

TEST(EngineDeflate, TakesSmallWindows) {
  for (const int bits : {9, 12}) {
    Deflated session("permessage-deflate; server_max_window_bits=" + std::to_string(bits));
    session.feed(frame(kText, Packer(bits)(long_text())));
    EXPECT_EQ(session.recorder.events, (Strings{"text " + long_text()}));
  }
  Deflated eight("permessage-deflate; server_max_window_bits=8");
  eight.feed(frame(kText, Packer(9)(long_text())));  // zlib's 8 is a 9
  EXPECT_EQ(eight.recorder.events, (Strings{"text " + long_text()}));
}

// RFC 7692 sections 7.2.3.2 to 7.2.3.6.
TEST(EngineDeflate, TheExamplesOfTheRfc) {
  Deflated session;
  session.feed(frame(kText, std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)));
  session.feed(frame(kText, std::string("\xf2\x00\x11\x00\x00", 5)));  // the shared context
  session.feed(
      frame(kText, std::string("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11)));  // a stored block
  session.feed(frame(kText, std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8)));      // a final block
  session.feed(frame(kText, std::string("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13)));
  session.feed(frame(kText, std::string("\x00", 1)));  // an empty message
  EXPECT_EQ(session.recorder.events,
            (Strings{"text Hello", "text Hello", "text Hello", "text Hello", "text Hello", "text "}));
}

// websocketpp's own: after a final block every later message arrives empty, without an error.
TEST(EngineDeflate, AFinalBlockEndsNothing) {
  Deflated session;
  Packer pack;
  const std::string last = Packer().run("first", Z_FINISH);
  session.feed(frame(kText, last + std::string(1, '\0')) + frame(kText, Packer()("second")));
  session.feed(frame(kText, last));  // without the byte that makes room for the trailer
  session.feed(frame(kText, Packer()("third")));
  EXPECT_EQ(session.recorder.events, (Strings{"text first", "text second", "text first", "text third"}));
}

TEST(EngineDeflate, AfterAFinalBlockTheWindowStands) {
  Deflated session;
  Packer pack;
  const std::string noise = long_text() + long_text();
  session.feed(frame(kText, Packer().run(noise, Z_FINISH) + std::string(1, '\0')));
  z_stream z{};  // a stream of its own that refers to what the first one wrote
  deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  const std::string window = noise.substr(noise.size() - 32768);
  deflateSetDictionary(&z, reinterpret_cast<const Bytef*>(window.data()), 32768);
  std::string out(1000, '\0');
  const std::string again = noise.substr(noise.size() - 1000);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(again.data()));
  z.avail_in = 1000;
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = 1000;
  ::deflate(&z, Z_SYNC_FLUSH);
  out.resize(1000 - z.avail_out - 4);
  deflateEnd(&z);
  EXPECT_LT(out.size(), 100U);
  session.feed(frame(kBinary, out));
  EXPECT_EQ(session.recorder.events.back(), "binary " + again);
}

// A message may hold a final block in every two bytes; each must cost next to nothing.
TEST(EngineDeflate, VeryManyFinalBlocksAreNoBurden) {
  Deflated session;
  session.feed(frame(kText, Packer()(std::string(40000, 'x'))));
  std::string blocks;
  for (int count = 0; count < 1000000; ++count) blocks += std::string("\x03\x00", 2);
  session.feed(frame(kBinary, blocks + std::string(1, '\0')));
  EXPECT_EQ(session.recorder.events.back(), "binary ");
}

// websocketpp's own: 62 KB became 64 MiB with a limit of 1 MiB.
TEST(EngineDeflate, ABombEndsAtTheLimit) {
  Limits limits;
  limits.max_message_bytes = std::size_t{1} << 20;
  Deflated session("permessage-deflate", limits);
  session.feed(frame(kBinary, Packer()(std::string(std::size_t{64} << 20, '\0'))));
  ASSERT_EQ(session.recorder.events.size(), 1U);
  EXPECT_EQ(session.recorder.events[0],
            "failed 1009 The server sent a message of at least 1048577 bytes; max_message_bytes is 1048576.");
  EXPECT_EQ(session.recorder.failure.phase, Phase::limit);
}

TEST(EngineDeflate, TheLimitIsExact) {
  Limits limits;
  limits.max_message_bytes = 1000;
  std::string noise;
  Dice dice(3);
  while (noise.size() < 1000) noise += static_cast<char>(dice());
  Deflated session("permessage-deflate", limits);
  Packer pack;
  const std::string packed = pack(noise);
  EXPECT_GT(packed.size(), 1000U);  // longer than plain
  session.feed(frame(kBinary, packed) + frame(0x82, noise) + frame(kBinary, pack(std::string(1000, 'x'))));
  EXPECT_EQ(session.recorder.events.size(), 3U);
  EXPECT_EQ(session.recorder.events[0], "binary " + noise);
  session.feed(frame(kBinary, pack(std::string(1001, 'x'))));
  EXPECT_EQ(session.recorder.events.back().substr(0, 11), "failed 1009");

  Deflated plain("permessage-deflate", limits);
  plain.feed(frame(0x82, std::string(1001, 'x')));
  EXPECT_EQ(plain.recorder.events.back().substr(0, 11), "failed 1009");
  Deflated parts("permessage-deflate", limits);
  parts.feed(frame(0x02, std::string(600, 'x')) + frame(0x80, std::string(401, 'x')));
  EXPECT_EQ(parts.recorder.events.back().substr(0, 11), "failed 1009");
}

TEST(EngineDeflate, WhatCannotBeInflatedEndsWith1007) {
  const std::string whole = Packer()(long_text());
  for (const std::string& bad :
       {std::string("\xff\xff\xff\xff"), whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 1),
        std::string("\x01\x05\x00\xfa\xffHel", 8), std::string("\x06", 1)}) {
    Deflated session;
    session.feed(frame(kBinary, bad));
    ASSERT_EQ(session.recorder.events.size(), 1U) << bad.size();
    EXPECT_EQ(session.recorder.events[0],
              "failed 1007 The server sent a compressed message that cannot be inflated.");
    EXPECT_EQ(session.recorder.failure.phase, Phase::protocol);
  }
}

TEST(EngineDeflate, InflatedTextIsCheckedAndFailsFast) {
  Deflated session;
  const std::string bad = Packer()(std::string("ok \xed\xa0\x80 ") + std::string(20000, 'x'));
  session.feed(frame(0x41, bad));  // the first of several fragments
  EXPECT_EQ(session.recorder.events.back().substr(0, 11), "failed 1007");
  Deflated cut;
  cut.feed(frame(kText, Packer()("ends in \xe2\x82")));
  EXPECT_EQ(cut.recorder.events.back().substr(0, 11), "failed 1007");
}

TEST(EngineDeflate, NotNegotiatedNothingMayBeCompressed) {
  Session session(offering());
  session.open();
  EXPECT_FALSE(session.recorder.response.deflate);
  session.feed(frame(kText, Packer()("x")));
  EXPECT_EQ(session.recorder.events.back().substr(0, 11), "failed 1002");
  Deflated control;
  control.feed(frame(0xC9, "ping"));
  EXPECT_EQ(control.recorder.events.back().substr(0, 11), "failed 1002");
}

// Whatever is changed in a compressed message, the outcome is one of the two, and does not hang on how the bytes were cut.
TEST(EngineDeflate, ChangedDataIsInflatedOrRefusedHoweverItIsCut) {
  Limits limits;
  limits.max_message_bytes = 100000;
  Dice dice(13);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    Packer pack;
    std::string first = pack(long_text().substr(0, 1 + dice() % 3000));
    if (round % 3 == 0) first = Packer().run(long_text().substr(0, 500), Z_FINISH);
    for (unsigned change = dice() % 4; change > 0; --change) {
      switch (dice() % 3) {
        case 0: first[dice() % first.size()] = static_cast<char>(dice()); break;
        case 1: first.resize(1 + dice() % first.size()); break;
        default: first.insert(dice() % first.size(), 1, static_cast<char>(dice())); break;
      }
    }
    const std::string wire = frame(kBinary, first) + frame(kBinary, pack("second")) + text("third");
    Deflated whole("permessage-deflate", limits);
    whole.feed(wire);
    Deflated cut("permessage-deflate", limits);
    cut.feed_cut(wire, round % 2 == 0 ? 1 : 50, dice);
    ASSERT_EQ(whole.recorder.events, cut.recorder.events) << round;
    ASSERT_FALSE(whole.recorder.events.empty());
    const std::string& last = whole.recorder.events.back();
    ASSERT_TRUE(last == "text third" || last.substr(0, 10) == "failed 100") << last;
    refused += last == "text third" ? 0 : 1;
  }
  EXPECT_GT(refused, 300);
  EXPECT_LT(refused, 2700);
}

}  // namespace
}  // namespace fastws::engine
