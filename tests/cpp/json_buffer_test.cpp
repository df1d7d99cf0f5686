// Buffers that grow from the heap into pages of their own.
#include "json/buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace {

using fastws::json::Buffer;

TEST(Buffer, KeepsItsValuesWhereverItGrows) {
  Buffer<std::uint64_t> buffer;
  std::vector<std::uint64_t> wanted;
  for (std::uint64_t value = 0; wanted.size() < 200'000;
       value += 7) {  // 1.6 MB, past several sizes of both kinds
    buffer.append(&value, 1);
    wanted.push_back(value);
  }
  EXPECT_EQ(std::vector<std::uint64_t>(buffer.data(), buffer.data() + buffer.size()), wanted);
  buffer.clear();
  const std::uint64_t* const same = buffer.data();
  buffer.append(wanted.data(), wanted.size());
  EXPECT_EQ(buffer.data(), same);
}

TEST(Buffer, KeepsWhatWasWrittenBehindItsEndWhenItMoves) {
  Buffer<char> buffer;
  const std::string text(1000, 'a');
  buffer.append(text.data(), text.size());
  char* room = buffer.room(100);
  std::fill(room, room + 100, 'b');
  room = buffer.room(std::size_t{1} << 20, 100);  // moves
  std::fill(room, room + (std::size_t{1} << 20), 'c');
  buffer.set_size(1000 + 100 + (std::size_t{1} << 20));
  EXPECT_EQ(std::string(buffer.data(), 1200), text + std::string(100, 'b') + std::string(100, 'c'));
}

}  // namespace
