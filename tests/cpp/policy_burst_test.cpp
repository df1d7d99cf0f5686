// When drops are told: by their times alone.
#include "policy/burst.hpp"

#include <gtest/gtest.h>

namespace {

using fastws::policy::Burst;

TEST(Burst, ItIsToldOnceASecondAfterTheLastDrop) {
  Burst burst;
  burst.add(1, 10.0);
  burst.add(2, 10.5);
  EXPECT_DOUBLE_EQ(burst.due(), 11.5);
  EXPECT_FALSE(burst.take(11.4));
  EXPECT_FALSE(burst.over(11.4));
  const auto told = burst.take(11.5);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->count, 3u);
  EXPECT_DOUBLE_EQ(told->first_at, 10.0);
  EXPECT_DOUBLE_EQ(told->last_at, 10.5);
  EXPECT_FALSE(told->continued);
  EXPECT_TRUE(burst.over(11.5));
  EXPECT_FALSE(burst.take(20.0));
}

TEST(Burst, WhatDoesNotEndIsToldInPartsOfTenSeconds) {
  Burst burst;
  for (int i = 0; i < 22; ++i) burst.add(1, 10.0 + 0.5 * i);  // until 20.5
  EXPECT_DOUBLE_EQ(burst.due(), 20.0);
  EXPECT_FALSE(burst.take(19.9));
  const auto first = burst.take(20.6);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->count, 22u);
  EXPECT_FALSE(first->continued);
  EXPECT_FALSE(burst.over(20.6));

  burst.add(1, 21.0);
  burst.add(1, 21.2);
  EXPECT_DOUBLE_EQ(burst.due(), 22.2);
  const auto second = burst.take(22.2);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->count, 2u);
  EXPECT_DOUBLE_EQ(second->first_at, 21.0);
  EXPECT_DOUBLE_EQ(second->last_at, 21.2);
  EXPECT_TRUE(second->continued);
  EXPECT_TRUE(burst.over(22.2));
}

TEST(Burst, ThatEndsWhenAllOfItWasToldEndsInSilence) {
  Burst burst;
  for (int i = 0; i <= 20; ++i) burst.add(1, 10.0 + 0.5 * i);  // the last one at 20.0
  ASSERT_TRUE(burst.take(20.0));
  EXPECT_DOUBLE_EQ(burst.due(), 21.0);
  EXPECT_FALSE(burst.over(20.9));
  EXPECT_FALSE(burst.take(21.0));
  EXPECT_TRUE(burst.over(21.0));
}

}  // namespace
