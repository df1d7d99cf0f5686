// What cpp/json/writer writes, byte for byte: strings at every length and kind, integers, doubles as Python's
// repr.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "../../cpp/json/writer.hpp"

namespace fastws::json {
namespace {

std::string string_text(std::string_view utf8) {
  Text out;
  write_string(out, utf8, ',');
  return std::string(out.view());
}

std::string integer_text(std::int64_t value) {
  Text out;
  write_integer(out, value, ',');
  return std::string(out.view());
}

std::string double_text(double value) {
  Text out;
  write_double(out, value, ',');
  std::string text(out.view());
  EXPECT_EQ(text.back(), ',');
  text.pop_back();
  return text;
}

/// Without the zeros at either end, which only tell the power of ten.
std::size_t significant_digits(const std::string& number) {
  std::string digits;
  for (const char c : number.substr(0, number.find('e'))) {
    if (c >= '0' && c <= '9') digits += c;
  }
  const std::size_t first = digits.find_first_not_of('0');
  return first == std::string::npos ? 0 : digits.find_last_not_of('0') - first + 1;
}

/// The rules of RFC 8259 section 7, a byte at a time.
std::string escaped(std::string_view utf8) {
  std::string text = "\"";
  for (const char byte : utf8) {
    const std::string_view named = "\b\f\n\r\t\"\\";
    const auto code = static_cast<unsigned char>(byte);
    if (const auto at = named.find(byte); at != std::string_view::npos) {
      text += {'\\', "bfnrt\"\\"[at]};
    } else if (code < 0x20) {
      char hex[8];
      std::snprintf(hex, sizeof hex, "\\u%04x", static_cast<unsigned>(code));
      text += hex;
    } else {
      text += byte;
    }
  }
  return text + "\",";
}

TEST(JsonWriterString, EveryAsciiByteIsEscapedAsTheRfcSays) {
  for (int code = 0; code < 128; ++code) {
    const std::string one(1, static_cast<char>(code));
    EXPECT_EQ(string_text(one), escaped(one)) << code;
  }
}

TEST(JsonWriterString, DeleteAndNonAsciiStayAsTheyAre) {
  EXPECT_EQ(string_text("\x7f\xc3\xa9\xe4\xb8\x96\xf0\x9f\x98\x80"),
            "\"\x7f\xc3\xa9\xe4\xb8\x96\xf0\x9f\x98\x80\",");
}

TEST(JsonWriterString, PlainTextOfEveryLengthUpTo200) {
  for (std::size_t length = 0; length <= 200; ++length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += static_cast<char>('a' + i % 26);
    EXPECT_EQ(string_text(text), escaped(text)) << length;
  }
}

TEST(JsonWriterString, AnEscapeAtEveryPlaceOfEveryLengthUpTo90) {
  for (std::size_t length = 1; length <= 90; ++length) {
    for (std::size_t place = 0; place < length; ++place) {
      for (const char byte : {'"', '\\', '\n', '\x01'}) {
        std::string text(length, '~');
        text[place] = byte;
        ASSERT_EQ(string_text(text), escaped(text)) << length << " " << place;
      }
    }
  }
}

TEST(JsonWriterString, RandomBytesAboveAndBelow) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string text(random() % 80, ' ');
    for (char& byte : text) byte = static_cast<char>(random() % 4 == 0 ? random() % 0x30 : random() % 0x100);
    ASSERT_EQ(string_text(text), escaped(text));
  }
}

/// Two pages of which the second can not be touched.
class PageEnd {
 public:
  PageEnd() : size_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    void* const pages = mmap(nullptr, 2 * size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(static_cast<char*>(pages) + size_, size_, PROT_NONE) != 0)
      std::abort();
    pages_ = static_cast<char*>(pages);
  }
  ~PageEnd() { munmap(pages_, 2 * size_); }
  PageEnd(const PageEnd&) = delete;
  PageEnd& operator=(const PageEnd&) = delete;

  /// The text, as many bytes before the end of the page as it has and `gap` more.
  std::string_view place(const std::string& text, std::size_t gap) {
    char* const at = pages_ + size_ - gap - text.size();
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }

 private:
  std::size_t size_;
  char* pages_;
};

TEST(JsonWriterString, NothingBehindTheLastPageIsRead) {
  PageEnd page;
  for (std::size_t length = 0; length <= 40; ++length) {
    for (std::size_t gap = 0; gap <= 17; ++gap) {
      std::string text(length, 'q');
      ASSERT_EQ(string_text(page.place(text, gap)), escaped(text)) << length << " " << gap;
      if (length == 0) continue;
      text.back() = '"';
      ASSERT_EQ(string_text(page.place(text, gap)), escaped(text)) << length << " " << gap;
    }
  }
}

TEST(JsonWriterString, WhatStandsBehindItIsNoPartOfIt) {
  const std::string text = "abc\"\n\\ and more, so that sixteen bytes can be read";
  for (std::size_t length = 0; length <= 3; ++length) {
    EXPECT_EQ(string_text(std::string_view(text).substr(0, length)), escaped(text.substr(0, length)));
  }
}

TEST(JsonWriterString, LongerThanAnyBuffer) {
  for (const std::size_t length : {1023u, 1024u, 4095u, 4096u, 4097u, 8192u, 1000000u}) {
    const std::string plain(length, 'x');
    EXPECT_EQ(string_text(plain), escaped(plain));
    const std::string controls(length, '\x1f');
    EXPECT_EQ(string_text(controls), escaped(controls));
  }
}

TEST(JsonWriterCodePoints, EveryWidthOfUtf8) {
  Text out;
  const std::uint32_t points[] = {0x41, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
  EXPECT_EQ(write_code_points(out, points, std::size(points), ':'), std::size(points));
  EXPECT_EQ(out.view(),
            "\"A\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f"
            "\xbf\xbf\":");
}

TEST(JsonWriterCodePoints, Latin1AndEscapes) {
  Text out;
  const std::uint8_t points[] = {0xe9, '"', '\n', 0x1f, 0xff};
  write_code_points(out, points, std::size(points), ',');
  EXPECT_EQ(out.view(), "\"\xc3\xa9\\\"\\n\\u001f\xc3\xbf\",");
}

TEST(JsonWriterCodePoints, TheFirstSurrogateIsTold) {
  for (const std::uint16_t surrogate : std::initializer_list<std::uint16_t>{0xd800, 0xdbff, 0xdc00, 0xdfff}) {
    for (const std::size_t place : {0u, 1u, 5000u}) {
      std::vector<std::uint16_t> points(9000, 0x4e16);
      points[place] = surrogate;
      points[8999] = 0xd800;
      Text out;
      EXPECT_EQ(write_code_points(out, points.data(), points.size(), ','), place);
    }
  }
}

TEST(JsonWriterInteger, EdgesOfTheType) {
  EXPECT_EQ(integer_text(0), "0,");
  EXPECT_EQ(integer_text(-1), "-1,");
  EXPECT_EQ(integer_text(std::numeric_limits<std::int64_t>::max()), "9223372036854775807,");
  EXPECT_EQ(integer_text(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808,");
}

TEST(JsonWriterInteger, EveryNumberOfDigits) {
  std::int64_t value = 1;
  for (int digits = 1; digits < 19; ++digits, value *= 10) {
    for (const std::int64_t near : {value - 1, value, value + 1, -value}) {
      EXPECT_EQ(integer_text(near), std::to_string(near) + ",");
    }
  }
}

TEST(JsonWriterDouble, LayoutOfRepr) {
  EXPECT_EQ(double_text(0.0), "0.0");
  EXPECT_EQ(double_text(-0.0), "-0.0");
  EXPECT_EQ(double_text(1.0), "1.0");
  EXPECT_EQ(double_text(-67123.45), "-67123.45");
  EXPECT_EQ(double_text(0.1), "0.1");
  EXPECT_EQ(double_text(0.0001), "0.0001");
  EXPECT_EQ(double_text(0.00012345), "0.00012345");
  EXPECT_EQ(double_text(0.00001), "1e-05");
  EXPECT_EQ(double_text(1.5e-7), "1.5e-07");
  EXPECT_EQ(double_text(1e-100), "1e-100");
  EXPECT_EQ(double_text(1e15), "1000000000000000.0");
  EXPECT_EQ(double_text(9999999999999998.0), "9999999999999998.0");
  EXPECT_EQ(double_text(1e16), "1e+16");
  EXPECT_EQ(double_text(1.2345e+22), "1.2345e+22");
  EXPECT_EQ(double_text(1e100), "1e+100");
  EXPECT_EQ(double_text(123456789012345.6), "123456789012345.6");
}

TEST(JsonWriterDouble, HardValues) {
  EXPECT_EQ(double_text(5e-324), "5e-324");
  EXPECT_EQ(double_text(2.2250738585072014e-308), "2.2250738585072014e-308");
  EXPECT_EQ(double_text(2.225073858507201e-308), "2.225073858507201e-308");
  EXPECT_EQ(double_text(1.7976931348623157e+308), "1.7976931348623157e+308");
  EXPECT_EQ(double_text(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(double_text(9007199254740993.0), "9007199254740992.0");
  EXPECT_EQ(double_text(9.5367431640625e-07), "9.5367431640625e-07");
  EXPECT_EQ(double_text(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(double_text(5e-5), "5e-05");
  EXPECT_EQ(double_text(9999999.99999999), "9999999.99999999");
  EXPECT_EQ(double_text(99999999999.99995), "99999999999.99995");
}

TEST(JsonWriterDouble, RandomBitsReadBackAndAreShortest) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 200000; ++round) {
    const std::uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string text = double_text(value);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    char shorter[40];
    std::snprintf(shorter, sizeof shorter, "%.15g", value);
    const std::size_t digits = significant_digits(text);
    const bool fifteen_are_enough = std::strtod(shorter, nullptr) == value;
    ASSERT_EQ(digits <= 15, fifteen_are_enough) << text;
  }
}

TEST(JsonWriterDouble, ShortDecimalsComeBackAsTheyWereWritten) {
  std::mt19937_64 random(13);
  for (int round = 0; round < 200000; ++round) {
    const int places = 1 + static_cast<int>(random() % 9);
    const std::uint64_t whole = random() % (round % 2 == 0 ? 1000000u : 100000u);
    char text[40];
    std::snprintf(text, sizeof text, "%llu.%0*llu", static_cast<unsigned long long>(whole), places - 1,
                  static_cast<unsigned long long>(random() % 9 + 1));
    const double value = std::strtod(text, nullptr);
    if (value < 1e-4) continue;  // written with an exponent
    ASSERT_EQ(double_text(value), text);
  }
}

TEST(JsonText, CommaIsReplacedOnlyWhereThereIsOne) {
  Text out;
  out.put('[');
  out.put_over_comma(']');
  EXPECT_EQ(out.view(), "[]");
  out.put(',');
  out.put_over_comma('}');
  EXPECT_EQ(out.view(), "[]}");
}

TEST(JsonText, GrowsFromItsOwnStorageWithoutLoss) {
  Text out;
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    write_integer(out, i, ',');
    expected += std::to_string(i) + ",";
  }
  EXPECT_EQ(out.view(), expected);
}

}  // namespace
}  // namespace fastws::json
