// References and origins: the examples of RFC 3986 section 5.4, and what a redirect must not do.
#include "net/url_reference.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fastws::net {
namespace {

std::string on(const std::string& base, const std::string& reference) {
  return resolve_reference(parse_url(base), reference).shown();
}

TEST(UrlReference, IsThatOfTheStandard) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"ws:h", ""},  // no URL of ours
      {"g", "/b/c/g"},
      {"./g", "/b/c/g"},
      {"g/", "/b/c/g/"},
      {"/g", "/g"},
      {"?y", "/b/c/d;p?y"},
      {"g?y", "/b/c/g?y"},
      {"g#s", "/b/c/g"},
      {"g?y#s", "/b/c/g?y"},
      {";x", "/b/c/;x"},
      {"g;x?y", "/b/c/g;x?y"},
      {"", "/b/c/d;p?q"},
      {"#s", "/b/c/d;p?q"},
      {".", "/b/c/"},
      {"./", "/b/c/"},
      {"..", "/b/"},
      {"../", "/b/"},
      {"../g", "/b/g"},
      {"../..", "/"},
      {"../../", "/"},
      {"../../g", "/g"},
      {"../../../g", "/g"},
      {"../../../../g", "/g"},
      {"/./g", "/g"},
      {"/../g", "/g"},
      {"g.", "/b/c/g."},
      {".g", "/b/c/.g"},
      {"g..", "/b/c/g.."},
      {"..g", "/b/c/..g"},
      {"./../g", "/b/g"},
      {"./g/.", "/b/c/g/"},
      {"g/./h", "/b/c/g/h"},
      {"g/../h", "/b/c/h"},
      {"g;x=1/./y", "/b/c/g;x=1/y"},
      {"g;x=1/../y", "/b/c/y"},
      {"g?y/./x", "/b/c/g?y/./x"},
      {"g?y/../x", "/b/c/g?y/../x"},
      {"a:b/c?d", ""},  // a scheme, and none of ours
      {"./a:b/c", "/b/c/a:b/c"},
      {"g?x=a:b", "/b/c/g?x=a:b"},
      {"\xc3\xbc", "/b/c/%C3%BC"},
  };
  for (const auto& [reference, expected] : table) {
    if (expected.empty()) {
      EXPECT_THROW(on("ws://a:81/b/c/d;p?q", reference), std::invalid_argument) << reference;
    } else {
      EXPECT_EQ(on("ws://a:81/b/c/d;p?q", reference), "ws://a:81" + expected) << reference;
    }
  }
}

TEST(UrlReference, MayLeadElsewhere) {
  EXPECT_EQ(on("ws://a/b", "wss://c/d"), "wss://c/d");
  EXPECT_EQ(on("ws://a/b", "https://c:8443"), "wss://c:8443/");
  EXPECT_EQ(on("ws://a/b", "HTTP://C/x?y#z"), "ws://c/x?y");
  EXPECT_EQ(on("wss://a/b", "//c:1/d"), "wss://c:1/d");
  EXPECT_EQ(on("ws://[::1]:9/b", "x"), "ws://[::1]:9/x");
  EXPECT_EQ(resolve_reference(parse_url("ws://[fe80::1%25lo]/b"), "x").host, "fe80::1%lo");
  EXPECT_EQ(on("ws+unix:///tmp/s:/a/b", "c"), "ws+unix:///tmp/s:/a/c");
}

TEST(UrlReference, CarriesNobodysPassword) {
  EXPECT_FALSE(resolve_reference(parse_url("ws://u:p@a/b"), "c").user);
  EXPECT_FALSE(resolve_reference(parse_url("ws://a/b"), "ws://u:p@c/").user);
  EXPECT_FALSE(resolve_reference(parse_url("ws://a/b"), "ws://u:p@c/").password);
}

TEST(UrlReference, ThatIsNoneIsRefused) {
  for (const char* const reference : {"ftp://c/", "javascript:alert(1)", "ws://", "ws://c:99999/", "//",
                                      "a b", "/a\tb", "//u@", "mailto:x@y", "ws+unix:///tmp/s:/"}) {
    EXPECT_THROW(on("ws://a/b", reference), std::invalid_argument) << reference;
  }
  EXPECT_THROW(on("ws+unix:///tmp/s:/", "ws://a/"), std::invalid_argument);
  EXPECT_THROW(on("ws+unix:///tmp/s:/", "//a/"), std::invalid_argument);
}

TEST(Origin, IsSchemeHostAndPort) {
  const auto same = [](const char* one, const char* other) {
    return same_origin(parse_url(one), parse_url(other));
  };
  EXPECT_TRUE(same("ws://a/x", "ws://A:80/y?z"));
  EXPECT_TRUE(same("wss://a", "https://a:443/"));
  EXPECT_FALSE(same("ws://a", "wss://a"));
  EXPECT_FALSE(same("ws://a", "ws://b"));
  EXPECT_FALSE(same("ws://a", "ws://a:81"));
  EXPECT_FALSE(same("ws://a.b", "ws://b"));
  EXPECT_FALSE(same("ws+unix:///tmp/s:/", "ws+unix:///tmp/t:/"));
}

}  // namespace
}  // namespace fastws::net
