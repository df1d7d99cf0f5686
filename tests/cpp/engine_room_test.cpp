// Room that the engines of one thread share: between two messages none of them holds any.
#include "engine_peer.hpp"

namespace fastws::engine::peer {
namespace {

/// An engine that is open, and where its messages lay.
struct Sharing {
  explicit Sharing(SharedRoom& room) : engine({"h", "/", {}, {}, "", ""}, {}, watcher, &room) {
    engine.start();
    feed(upgrade(engine.output()));
  }
  void feed(const std::string& wire) { engine.feed(wire.data(), wire.size()); }
  /// A message that does not come whole needs room.
  void feed_in_two(const std::string& wire) {
    feed(wire.substr(0, 1));
    feed(wire.substr(1));
  }

  Places watcher;
  Engine engine;
};

TEST(EngineRoom, OneAfterTheOtherUsesTheSame) {
  SharedRoom room;
  Sharing first(room);
  Sharing second(room);
  first.feed_in_two(text(std::string(50'000, 'a')));
  second.feed_in_two(text("b"));
  first.feed_in_two(text("c"));
  ASSERT_EQ(second.watcher.places.size(), 1U);
  EXPECT_EQ(second.watcher.places[0], first.watcher.places[0]);
  EXPECT_EQ(first.watcher.places[1], first.watcher.places[0]);
  EXPECT_EQ(second.watcher.events.back(), "text b");
}

TEST(EngineRoom, AMessageThatComesInPartsKeepsItsOwn) {
  SharedRoom room;
  Sharing first(room);
  Sharing second(room);
  const std::string wire = text(std::string(50'000, 'a'));
  first.feed(wire.substr(0, 100));
  second.feed(wire.substr(0, 20'000));
  first.feed(wire.substr(100));
  second.feed(wire.substr(20'000));
  EXPECT_EQ(first.watcher.events.back(), "text " + std::string(50'000, 'a'));
  EXPECT_EQ(second.watcher.events.back(), "text " + std::string(50'000, 'a'));
  EXPECT_NE(first.watcher.places[0], second.watcher.places[0]);
}

TEST(EngineRoom, FragmentsAndControlFramesBetweenThemKeepIt) {
  SharedRoom room;
  Sharing first(room);
  Sharing second(room);
  first.feed(frame(0x01, std::string(1000, 'a')));
  second.feed(text(std::string(1000, 'b')));
  first.feed(frame(0x89, "ping"));
  second.feed(text(std::string(1000, 'c')));
  first.feed(frame(0x80, "end"));
  EXPECT_EQ(first.watcher.events.back(), "text " + std::string(1000, 'a') + "end");
}

TEST(EngineRoom, WhatALargeMessageNeededIsNotShared) {
  SharedRoom room;
  Sharing first(room);
  Sharing second(room);
  first.feed_in_two(text(std::string(2 * SharedRoom::most_bytes, 'a')));
  second.feed_in_two(text("b"));
  EXPECT_NE(second.watcher.places[0], first.watcher.places[0]);
  first.feed_in_two(text(std::string(2 * SharedRoom::most_bytes, 'c')));
  EXPECT_EQ(first.watcher.places[1], first.watcher.places[0]);
}

}  // namespace
}  // namespace fastws::engine::peer
