// Counting what nobody wanted, by type: every type its own, many types in one, looked at while it is counted.
#include "client/type_counts.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>

namespace {

using fastws::client::TypeCounts;
using Counts = std::map<std::string, std::uint64_t>;

TEST(TypeCounts, CountsNothingAtFirst) {
  const TypeCounts counts;
  EXPECT_EQ(counts.total(), 0u);
  EXPECT_EQ(counts.by_type(), Counts{});
}

TEST(TypeCounts, TellsTypesApartThatDifferAnywhere) {
  TypeCounts counts;
  Counts expected;
  std::mt19937 dice(1);
  for (int round = 0; round < 20000; ++round) {
    // Of every length up to 40, alike but for one byte; with zeros inside, too.
    std::string type(dice() % 41, 'x');
    if (!type.empty()) type[dice() % type.size()] = "\0yz"[dice() % 3];
    if (expected.size() >= 900 && expected.count(type) == 0) continue;
    ++expected[type];
    counts.count(type);
  }
  EXPECT_EQ(counts.by_type(), expected);
}

TEST(TypeCounts, MoreTypesThanItKeepsAreOne) {
  TypeCounts counts;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t number = 0; number < TypeCounts::most_types + 50; ++number) {
      counts.count("type " + std::to_string(number));
    }
  }
  const Counts by_type = counts.by_type();
  EXPECT_EQ(by_type.size(), TypeCounts::most_types + 1);
  EXPECT_EQ(by_type.at("(other)"), 100u);
  EXPECT_EQ(by_type.at("type 0"), 2u);
  EXPECT_EQ(counts.total(), 2 * (TypeCounts::most_types + 50));
}

TEST(TypeCounts, LongTypesAreOne) {
  TypeCounts counts;
  for (const std::size_t size : {256, 257, 100000}) counts.count(std::string(size, 'x'));
  EXPECT_EQ(counts.by_type(), (Counts{{std::string(256, 'x'), 1}, {"(other)", 2}}));
}

TEST(TypeCounts, MayBeLookedAtWhileItGrows) {
  TypeCounts counts;
  std::atomic<bool> done{false};
  std::thread looker([&] {
    std::uint64_t before = 0;
    while (!done.load()) {
      std::uint64_t sum = 0;
      for (const auto& [type, times] : counts.by_type()) sum += times;
      EXPECT_GE(sum, before);
      before = sum;
    }
  });
  for (int number = 0; number < 200000; ++number) counts.count("type " + std::to_string(number % 1500));
  done.store(true);
  looker.join();
  EXPECT_EQ(counts.total(), 200000u);
}

}  // namespace
