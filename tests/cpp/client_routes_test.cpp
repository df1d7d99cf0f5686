// Who wants which messages: a few routes, many routes, everything.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "client/routes.hpp"

namespace {

using fastws::client::Wishes;

TEST(Wishes, AreOfTheRoutesThatWereNamed) {
  for (const std::size_t count : {1U, 8U, 9U, 100U}) {
    std::vector<std::string> routes;
    for (std::size_t number = 0; number < count; ++number)
      routes.push_back("route " + std::to_string(number));
    auto original = std::make_unique<Wishes>(routes, false, false);
    const Wishes wishes = *original;
    original.reset();  // what was copied stands alone
    EXPECT_TRUE(wishes.any());
    for (const std::string& route : routes) {
      EXPECT_TRUE(wishes.wants(true, route)) << count;
      EXPECT_FALSE(wishes.wants(true, route + " ")) << count;
      EXPECT_FALSE(wishes.wants(true, route.substr(1))) << count;
    }
    EXPECT_FALSE(wishes.wants(true, "")) << count;
    EXPECT_FALSE(wishes.wants(false, "")) << count;
  }
}

TEST(Wishes, EverythingIsTextsWithoutARouteToo) {
  const Wishes wishes({}, true, false);
  EXPECT_TRUE(wishes.wants(false, ""));
  EXPECT_TRUE(wishes.wants(true, "any"));
  EXPECT_FALSE(wishes.binary());
  EXPECT_TRUE(Wishes::all().binary());
  EXPECT_FALSE(Wishes().any());
}

}  // namespace
