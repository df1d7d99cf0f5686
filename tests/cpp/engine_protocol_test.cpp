// Messages that came whole, which are taken where they lie; and the buffer that a connection keeps for the others: how much of
// it stays, and for how long.
#include <gtest/gtest.h>

#include <string>

// Before any other of websocketpp's headers.
#include "../../cpp/engine/protocol.hpp"
#include "engine_peer.hpp"

namespace fastws::engine::peer {
namespace {

constexpr std::size_t large = std::size_t{4} << 20U;

/// A connection that has read one large message; and the buffer that the message was collected in.
struct Filled {
  explicit Filled(SharedRoom* room = nullptr) : protocol(large, room) {
    const std::string wire = text(std::string(large, 'a'));
    EXPECT_EQ(protocol.read(wire.data(), wire.size()), wire.size());
    message = protocol.get_message();
    message->end();
    EXPECT_GE(kept(), large);
  }
  [[nodiscard]] std::size_t kept() const { return message->get_raw_payload().capacity(); }
  void read(const std::string& wire) {
    protocol.read(wire.data(), wire.size());
    protocol.get_message()->end();
  }

  Protocol protocol;
  Message::ptr message;
};

TEST(EngineProtocol, SmallMessagesInPartsGiveALargeBufferBack) {
  Filled filled;
  for (int i = 0; i < 100; ++i) filled.read(text("small"));
  EXPECT_LT(filled.kept(), 64U << 10U);
}

TEST(EngineProtocol, SoDoSmallMessagesThatCameWhole) {
  Filled filled;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(filled.protocol.whole_message(text("small")));
  EXPECT_LT(filled.kept(), 64U << 10U);
}

TEST(EngineProtocol, AFewSmallMessagesAmongLargeOnesDoNot) {
  Filled filled;
  const char* const place = filled.message->get_raw_payload().data();
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(filled.protocol.whole_message(text("small")));
    for (int i = 0; i < 10; ++i) filled.read(text("small"));
    filled.read(text(std::string(large, 'a')));
  }
  EXPECT_EQ(filled.message->get_raw_payload().data(), place);
}

TEST(EngineProtocol, GivesItBackWhenNothingCame) {
  SharedRoom room;
  for (SharedRoom* const shared : {static_cast<SharedRoom*>(nullptr), &room}) {
    Filled filled(shared);
    filled.protocol.rest();
    EXPECT_GE(filled.kept(), large);  // too much to be shared
    filled.protocol.give_back();
    EXPECT_LT(filled.kept(), 1000U);
  }
}

TEST(EngineProtocol, WhatIsWholeMustBeWholeAndWithoutAFault) {
  Protocol protocol(1000, nullptr);
  const auto taken = [&](const std::string& wire) { return protocol.whole_message(wire).has_value(); };
  EXPECT_TRUE(taken(text("whole")));
  EXPECT_TRUE(taken(text(std::string(1000, 'a')) + "more"));
  EXPECT_FALSE(taken(text(std::string(1001, 'a'))));
  for (const std::string& wire : {text("whole"), text(std::string(200, 'a'))}) {
    for (std::size_t size = 0; size < wire.size(); ++size) EXPECT_FALSE(taken(wire.substr(0, size))) << size;
  }
  EXPECT_FALSE(taken(text("\xff")));
  EXPECT_FALSE(taken(text("\xe2\x82")));
  EXPECT_TRUE(taken(frame(0x82, "\xff")));
  for (unsigned first = 0; first < 256; ++first) {
    EXPECT_EQ(taken(frame(static_cast<unsigned char>(first), "x")), first == 0x81 || first == 0x82) << first;
  }
  EXPECT_FALSE(taken(std::string("\x81\x81\0\0\0\0x", 7)));  // masked
  EXPECT_FALSE(taken(std::string("\x81\x7e\0\x01x", 5)));    // a length that is spelt too long
  EXPECT_FALSE(taken(header64(0x82, 1) + "x"));
}

TEST(EngineProtocol, NothingIsWholeInsideAnotherFrame) {
  const std::string fragment = frame(0x01, "begun");
  const std::string ping = frame(0x89, "ping");
  // Whatever is missing, two bytes too: as many as a frame begins with.
  for (const std::string& begun :
       {fragment, fragment.substr(0, 1), text(std::string(200, 'a')).substr(0, 2),
        text(std::string(200, 'a')).substr(0, 3), ping.substr(0, 2), ping.substr(0, 4)}) {
    Protocol protocol(1000, nullptr);
    ASSERT_EQ(protocol.read(begun.data(), begun.size()), begun.size());
    EXPECT_FALSE(protocol.whole_message(text("whole"))) << ::testing::PrintToString(begun);
  }
}

}  // namespace
}  // namespace fastws::engine::peer
