// The Retry-After field, RFC 9110 section 10.2.3: seconds, and a date in each of the three forms of section 5.6.7.
#include <gtest/gtest.h>

#include <string>

#include "../../cpp/policy/verdict.hpp"

namespace {

using fastws::policy::parse_retry_after;

constexpr double the_rfcs_example = 784111777.0;  // 1994-11-06 08:49:37 UTC
constexpr double in_2026 = 1790000000.0;          // 2026-09-21 14:13:20 UTC

TEST(PolicyRetryAfter, Seconds) {
  EXPECT_EQ(parse_retry_after("0", in_2026), 0.0);
  EXPECT_EQ(parse_retry_after("120", in_2026), 120.0);
  EXPECT_EQ(parse_retry_after(" \t120 ", in_2026), 120.0);
}

TEST(PolicyRetryAfter, VeryManySecondsAreVeryLong) {
  EXPECT_EQ(parse_retry_after("1000000000", in_2026), 1e9);
  EXPECT_GT(*parse_retry_after(std::string(5000, '9'), in_2026), 1e300);
}

TEST(PolicyRetryAfter, EveryFormOfADate) {
  for (const char* const date :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_retry_after(date, the_rfcs_example - 90.5), 90.5) << date;
  }
}

TEST(PolicyRetryAfter, ADateThatIsPastIsNow) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", in_2026), 0.0);
}

TEST(PolicyRetryAfter, ATwoDigitYearIsTheNearestOne) {
  EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", in_2026), 0.0);
  EXPECT_EQ(parse_retry_after("Monday, 21-Sep-26 14:14:20 GMT", in_2026), 60.0);
  EXPECT_EQ(parse_retry_after("Friday, 01-Jan-00 00:00:10 GMT", 4102444799.0), 11.0) << "from 2099 into 2100";
}

TEST(PolicyRetryAfter, LeapDaysExistInLeapYearsOnly) {
  EXPECT_EQ(parse_retry_after("Thu, 29 Feb 2024 00:00:00 GMT", 1709164800.0 - 1.0), 1.0);
  EXPECT_EQ(parse_retry_after("Wed, 01 Mar 2000 00:00:00 GMT", 951782400.0), 86400.0)
      << "29 February 2000 was";
  EXPECT_FALSE(parse_retry_after("Wed, 29 Feb 2023 00:00:00 GMT", in_2026));
  EXPECT_FALSE(parse_retry_after("Mon, 29 Feb 2100 00:00:00 GMT", in_2026));
}

TEST(PolicyRetryAfter, ALeapSecondIsASecond) {
  EXPECT_EQ(parse_retry_after("Sat, 31 Dec 2016 23:59:60 GMT", 1483228799.0), 1.0);
}

TEST(PolicyRetryAfter, WhatIsNeitherIsIgnored) {
  for (const char* const garbage : {"",
                                    " ",
                                    "-1",
                                    "+5",
                                    "1.5",
                                    "1e3",
                                    "0x10",
                                    "12 s",
                                    "soon",
                                    "Sun, 06 Nov 1994 08:49:37",
                                    "Sun, 06 Nov 1994 08:49:37 UTC",
                                    "Sun, 06 Nov 1994 08:49:37 GMT!",
                                    "Sun, 6 Nov 1994 08:49:37 GMT",
                                    "Sun, 06 Abc 1994 08:49:37 GMT",
                                    "Xxx, 06 Nov 1994 08:49:37 GMT",
                                    "Sun, 00 Nov 1994 08:49:37 GMT",
                                    "Sun, 31 Nov 1994 08:49:37 GMT",
                                    "Sun, 06 Nov 1994 24:00:00 GMT",
                                    "Sun, 06 Nov 1994 08:60:37 GMT",
                                    "Sun, 06 Nov 1994 08:49:61 GMT",
                                    "Sun, 06 Nov 1994 8:49:37 GMT",
                                    "Sun Nov  6 08:49:37 94",
                                    "Sunday, 06-Nov-1994 08:49:37 GMT",
                                    "Sun",
                                    "Sun, ",
                                    "\xff\xfe"}) {
    EXPECT_FALSE(parse_retry_after(garbage, in_2026)) << garbage;
  }
}

TEST(PolicyRetryAfter, EveryPrefixOfADateIsIgnored) {
  for (const std::string date :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    for (std::size_t size = 0; size < date.size(); ++size) {
      EXPECT_FALSE(parse_retry_after(date.substr(0, size), in_2026)) << date.substr(0, size);
    }
  }
}

}  // namespace
