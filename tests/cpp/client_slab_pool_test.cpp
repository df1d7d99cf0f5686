// The pool of empty slabs: what is kept, what is not, and that an idle inbox holds none.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "../../cpp/client/gate.hpp"
#include "../../cpp/client/inbox.hpp"
#include "../../cpp/client/slab_pool.hpp"
#include "../../cpp/json/reader.hpp"

namespace fastws::client {
namespace {

std::unique_ptr<Slab> slab_with(std::size_t bytes) {
  auto slab = std::make_unique<Slab>();
  const std::string text(bytes, 'x');
  slab->tape.text.append(text.data(), text.size());
  return slab;
}

TEST(SlabPool, GivesBackWhatItWasGivenEmptied) {
  SlabPool pool;
  auto slab = slab_with(1000);
  const Slab* const same = slab.get();
  pool.put(std::move(slab));
  const auto again = pool.take();
  EXPECT_EQ(again.get(), same);
  EXPECT_EQ(again->bytes(), 0U);
  EXPECT_GE(again->tape.text.capacity(), 1000U);
  EXPECT_NE(pool.take().get(), same);
}

TEST(SlabPool, KeepsALargeOneWhileMessagesCome) {
  SlabPool pool;
  auto slab = slab_with(std::size_t{3} << 20);
  const Slab* const same = slab.get();
  pool.put(std::move(slab));
  slab = pool.take();
  EXPECT_EQ(slab.get(), same);
  pool.give_back();
  pool.put(std::move(slab));  // its message was at work when the connection went quiet
  slab = pool.take();
  EXPECT_EQ(slab->tape.text.capacity(), 0U);
  pool.put(slab_with(std::size_t{3} << 20));
  EXPECT_GE(pool.take()->tape.text.capacity(), std::size_t{3} << 20);
}

TEST(SlabPool, KeepsNotManyAndNotMuch) {
  SlabPool pool;
  pool.put(slab_with(std::size_t{33} << 20));
  EXPECT_EQ(pool.take()->tape.text.capacity(), 0U);
  for (int count = 0; count < 5; ++count) pool.put(slab_with(std::size_t{10} << 20));
  std::vector<std::unique_ptr<Slab>> large;
  while (large.empty() || large.back()->tape.text.capacity() != 0) large.push_back(pool.take());
  EXPECT_EQ(large.size(), 4U) << "three of 10 MiB, and a new one";
  for (int count = 0; count < 100; ++count) pool.put(slab_with(10));
  std::vector<std::unique_ptr<Slab>> taken;
  while (taken.empty() || taken.back()->tape.text.capacity() != 0) taken.push_back(pool.take());
  EXPECT_EQ(taken.size(), 9U);
}

TEST(SlabPool, KeepsOnlySmallOnesWhenAConnectionIsQuiet) {
  SlabPool pool;
  auto small = slab_with(1000);
  const Slab* const same = small.get();
  pool.put(slab_with(300'000));
  pool.put(std::move(small));
  pool.put(slab_with(300'000));
  pool.give_back();
  EXPECT_EQ(pool.take().get(), same);
  EXPECT_EQ(pool.take()->tape.text.capacity(), 0U);
}

TEST(SlabPool, AnInboxThatWasEmptiedLeavesItsSlabsToOthers) {
  const Inside inside;
  json::Reader reader;
  const auto fill_and_drain = [&reader](Inbox& inbox) {
    inbox.set_handlers(Wishes({}, true, false), 100.0);
    inbox.begin(100.0);
    const std::string text = "\"" + std::string(100'000, 'x') + "\"";
    inbox.add(Item::Kind::json, reader.append(inbox.tape(), text), false, std::string(), text);
    const char* const memory = inbox.tape().text.data();
    inbox.publish(0);
    std::vector<Item> items;
    std::vector<Item> back;
    inbox.take(Inbox::handlers_lane, 10, items, 0.0);
    EXPECT_EQ(items.size(), 1U);
    inbox.done(Inbox::handlers_lane, items, back);
    return memory;
  };
  Inbox one({});
  Inbox other({});
  EXPECT_EQ(fill_and_drain(one), fill_and_drain(other));
}

}  // namespace
}  // namespace fastws::client
