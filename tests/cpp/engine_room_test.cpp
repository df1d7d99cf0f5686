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

  struct Watcher : Recorder {
    std::vector<const char*> places;
    std::vector<std::size_t> capacities;
    void message(Opcode opcode, std::string& payload) override {
      places.push_back(payload.data());
      capacities.push_back(payload.capacity());
      Recorder::message(opcode, payload);
    }
  } watcher;
  Engine engine;
};

TEST(EngineRoom, OneAfterTheOtherUsesTheSame) {
  SharedRoom room;
  Sharing first(room);
  Sharing second(room);
  first.feed(text(std::string(50'000, 'a')));
  second.feed(text("b"));
  first.feed(text("c"));
  ASSERT_EQ(second.watcher.places.size(), 1U);
  EXPECT_EQ(second.watcher.places[0], first.watcher.places[0]);
  EXPECT_EQ(first.watcher.places[1], first.watcher.places[0]);
  EXPECT_GE(second.watcher.capacities[0], 50'000U);
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
  first.feed(text(std::string(2 * SharedRoom::most_bytes, 'a')));
  second.feed(text("b"));
  EXPECT_LT(second.watcher.capacities[0], SharedRoom::most_bytes);
  first.feed(text(std::string(2 * SharedRoom::most_bytes, 'c')));
  EXPECT_EQ(first.watcher.places[1], first.watcher.places[0]);
}

TEST(EngineRoom, IsGivenBackWhenNothingCame) {
  SharedRoom room;
  Sharing one(room);
  one.feed(text(std::string(2 * SharedRoom::most_bytes, 'a')));
  one.engine.give_back();
  one.feed(text("b"));
  EXPECT_LT(one.watcher.capacities[1], 1000U);
}

TEST(EngineRoom, AListenerMayTakeIt) {
  struct Taker : Recorder {
    Strings taken;
    void message(Opcode, std::string& payload) override { taken.push_back(std::move(payload)); }
  } taker;
  SharedRoom room;
  Engine engine({"h", "/", {}, {}, "", ""}, {}, taker, &room);
  engine.start();
  const std::string wire = upgrade(engine.output()) + text(std::string(300, 'a'));
  engine.feed(wire.data(), wire.size());
  const std::string more = text(std::string(200, 'b'));
  engine.feed(more.data(), more.size());
  EXPECT_EQ(taker.taken, (Strings{std::string(300, 'a'), std::string(200, 'b')}));
}

}  // namespace
}  // namespace fastws::engine::peer
