// URLs: what is accepted comes apart rightly, what is refused is named.
#include "net/url.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace fastws::net {
namespace {

std::string refusal(const std::string& text) {
  try {
    parse_url(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "(accepted)";
}

struct Good {
  const char* text;
  bool secure;
  const char* host;
  int port;
  const char* resource;
};

void PrintTo(const Good& row, std::ostream* out) { *out << row.text; }

class GoodUrl : public ::testing::TestWithParam<Good> {};

TEST_P(GoodUrl, comes_apart) {
  const Good row = GetParam();
  const Url url = parse_url(row.text);
  EXPECT_EQ(url.secure, row.secure);
  EXPECT_EQ(url.host, row.host);
  EXPECT_EQ(url.port, row.port);
  EXPECT_EQ(url.resource, row.resource);
}

INSTANTIATE_TEST_SUITE_P(
    Table, GoodUrl,
    ::testing::Values(Good{"ws://example.com/", false, "example.com", 80, "/"},
                      Good{"wss://example.com", true, "example.com", 443, "/"},
                      Good{"http://example.com/a", false, "example.com", 80, "/a"},
                      Good{"https://example.com/a", true, "example.com", 443, "/a"},
                      Good{"WSS://EXAMPLE.Com/PaTh", true, "example.com", 443, "/PaTh"},
                      Good{"ws://h:1/", false, "h", 1, "/"}, Good{"ws://h:65535/", false, "h", 65535, "/"},
                      Good{"ws://h:0080/", false, "h", 80, "/"}, Good{"ws://h?x=1", false, "h", 80, "/?x=1"},
                      Good{"ws://h:8080?x=1", false, "h", 8080, "/?x=1"},
                      Good{"ws://h/a?x=/b?c&d=:@", false, "h", 80, "/a?x=/b?c&d=:@"},
                      Good{"ws://h/a@b:c", false, "h", 80, "/a@b:c"},
                      Good{"ws://h/?u=ws://other/", false, "h", 80, "/?u=ws://other/"},
                      Good{"ws://h/%2F%23", false, "h", 80, "/%2F%23"},
                      Good{"ws://127.0.0.1:9/", false, "127.0.0.1", 9, "/"},
                      Good{"ws://[::1]:9/p", false, "::1", 9, "/p"},
                      Good{"wss://[FE80::A]", true, "fe80::a", 443, "/"},
                      Good{"ws://[::ffff:1.2.3.4]/", false, "::ffff:1.2.3.4", 80, "/"},
                      Good{"ws://[fe80::1%25eth0]/", false, "fe80::1%eth0", 80, "/"},
                      Good{"ws://[fe80::1%Eth0]/", false, "fe80::1%Eth0", 80, "/"},
                      Good{"ws://a.b.c./", false, "a.b.c.", 80, "/"},
                      Good{"ws://my_host-1/", false, "my_host-1", 80, "/"},
                      Good{"ws://xn--bcher-kva.example/", false, "xn--bcher-kva.example", 80, "/"},
                      Good{"ws://h/\xc3\xbc?q=\xe2\x82\xac", false, "h", 80, "/%C3%BC?q=%E2%82%AC"}));

struct Bad {
  std::string text;
  const char* fault;  // words of the refusal
};

void PrintTo(const Bad& row, std::ostream* out) { *out << row.text; }

class BadUrl : public ::testing::TestWithParam<Bad> {};

TEST_P(BadUrl, is_refused_by_name) {
  const std::string why = refusal(GetParam().text);
  EXPECT_NE(why.find(GetParam().fault), std::string::npos) << why;
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadUrl,
    ::testing::Values(
        Bad{"", "ws://"}, Bad{"example.com", "ws://"}, Bad{"ws:/h/", "ws://"}, Bad{"//h/", "ws://"},
        Bad{"ftp://h/", "scheme"}, Bad{"://h/", "scheme"}, Bad{"wsss://h/", "scheme"},
        Bad{"x?ws://h/", "scheme"}, Bad{"ws://", "no host"}, Bad{"ws:///p", "no host"},
        Bad{"ws://?x", "no host"}, Bad{"ws://:80/", "no host"}, Bad{"ws://u:p@/", "no host"},
        Bad{"ws://u@:80/", "no host"}, Bad{"ws://h/#f", "fragment"}, Bad{"ws://h#f", "fragment"},
        Bad{"ws://h/?a#", "fragment"}, Bad{"ws://h/a b", "space"}, Bad{" ws://h/", "space"},
        Bad{"ws://h/\n", "space"}, Bad{"ws://h/a\tb", "space"}, Bad{"ws://h/a\r\nX: y", "control"},
        Bad{std::string("ws://h/\0", 8), "control"}, Bad{"ws://h/\x7f", "control"}, Bad{"ws://h:/", "port"},
        Bad{"ws://h:0/", "port"}, Bad{"ws://h:65536/", "port"}, Bad{"ws://h:80abc/", "port"},
        Bad{"ws://h:-1/", "port"}, Bad{"ws://h:99999999999/", "port"}, Bad{"ws://h:1:2/", "port"},
        Bad{"ws://[::1]:/", "port"}, Bad{"ws://::1/", "no host"}, Bad{"ws://a::1/", "port"},
        Bad{"ws://[::1/", "not closed"}, Bad{"ws://[::1]x/", "no port"},
        Bad{"ws://[]/", "not an IPv6 address"}, Bad{"ws://[:::]/", "not an IPv6 address"},
        Bad{"ws://[1:2]/", "not an IPv6 address"}, Bad{"ws://[127.0.0.1]/", "not an IPv6 address"},
        Bad{"ws://[h]/", "not an IPv6 address"}, Bad{"ws://[fe80::1%25]/", "zone"},
        Bad{"ws://[fe80::1%25a]b]/", "no port"}, Bad{"ws://h%41/", "character"},
        Bad{"ws://h,i/", "character"}, Bad{"ws://h*/", "character"}, Bad{"ws://a..b/", "dot"},
        Bad{"ws://.a/", "dot"}, Bad{"ws://./", "dot"}, Bad{"ws://" + std::string(64, 'a') + "/", "63"},
        Bad{"ws://" + std::string(254, 'a') + "/", "253"},
        Bad{"ws://b\xc3\xbc"
            "cher.example/",
            "xn--"},
        Bad{"ws://good.example\\@evil.example/", "backslash"}, Bad{"ws://u%4@h/", "%"},
        Bad{"ws://u%zz@h/", "%"}, Bad{"ws://u:%@h/", "%"}, Bad{"ws://u%0d%0ax@h/", "line break"},
        Bad{"ws://u:a%00b@h/", "NUL"}));

TEST(Url, userinfo_is_percent_decoded) {
  const Url url = parse_url("ws://us%65r:p%40ss%3Aw%2fd@h:1/");
  EXPECT_EQ(url.user, "user");
  EXPECT_EQ(url.password, "p@ss:w/d");
  EXPECT_EQ(url.host, "h");
}

TEST(Url, the_last_at_sign_ends_the_userinfo) {
  const Url url = parse_url("ws://u:p@ss@h/");
  EXPECT_EQ(url.password, "p@ss");
  EXPECT_EQ(url.host, "h");
}

TEST(Url, a_user_without_a_password_has_an_empty_one) {
  const Url url = parse_url("ws://u@h/");
  EXPECT_EQ(url.user, "u");
  EXPECT_EQ(url.password, "");
}

TEST(Url, without_userinfo_there_is_no_user) {
  EXPECT_FALSE(parse_url("ws://h/a@b").user.has_value());
  EXPECT_FALSE(parse_url("ws://h/").password.has_value());
}

TEST(Url, authority_leaves_out_the_default_port_only) {
  EXPECT_EQ(parse_url("ws://h:80/").authority(), "h");
  EXPECT_EQ(parse_url("wss://h:443/").authority(), "h");
  EXPECT_EQ(parse_url("ws://h:443/").authority(), "h:443");
  EXPECT_EQ(parse_url("wss://h:80/").authority(), "h:80");
}

TEST(Url, authority_puts_ipv6_in_brackets_without_its_zone) {
  EXPECT_EQ(parse_url("ws://[::1]:9/").authority(), "[::1]:9");
  EXPECT_EQ(parse_url("ws://[fe80::1%25eth0]/").authority(), "[fe80::1]");
}

TEST(Url, what_people_see_holds_no_userinfo) {
  EXPECT_EQ(parse_url("wss://user:secret@h:9/p?q").shown(), "wss://h:9/p?q");
}

TEST(Url, a_refusal_holds_no_userinfo) {
  EXPECT_EQ(refusal("ws://user:secret@h:bad/").find("secret"), std::string::npos);
}

TEST(Url, whatever_is_accepted_can_stand_in_a_request_line) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = "ws://h/a" + std::string(1, static_cast<char>(byte)) + "b";
    try {
      for (const char c : parse_url(text).resource) EXPECT_TRUE(c > 0x20 && c < 0x7f) << byte;
    } catch (const std::invalid_argument&) {
      EXPECT_TRUE(byte <= 0x20 || byte == 0x7f || byte == '#') << byte;
    }
  }
}

}  // namespace
}  // namespace fastws::net
