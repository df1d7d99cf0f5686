// Cookies: what is taken, replaced and dropped, and what is sent where (RFC 6265).
#include "net/cookies.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace fastws::net {
namespace {

constexpr double now = 1'700'000'000.0;

struct Jar {
  CookieJar jar;

  Jar& take(const std::string& cookie, const std::string& url = "wss://www.example.com/a/b?c",
            double when = now) {
    jar.take(cookie, parse_url(url), when);
    return *this;
  }
  [[nodiscard]] std::string sent(const std::string& url = "wss://www.example.com/a/b?c", double when = now,
                                 const std::string& given = "") const {
    return jar.header(parse_url(url), when, given);
  }
};

TEST(Cookies, ComeBack) {
  EXPECT_EQ(Jar().take("a=1").sent(), "a=1");
  EXPECT_EQ(Jar().take(" a = 1 ; HttpOnly").sent(), "a=1");
  EXPECT_EQ(Jar().take("a=1=2").take("b=").take("c=\"q\"").sent(), "a=1=2; b=; c=\"q\"");
  EXPECT_EQ(Jar().sent(), "");
}

TEST(Cookies, ThatAreNoneAreIgnored) {
  for (const std::string bad : {"", "a", "=1", ";a=1", " = ", "a=1\x01", "a\x7f=1"}) {
    EXPECT_EQ(Jar().take(bad).sent(), "") << bad;
  }
  EXPECT_EQ(Jar().take("a=" + std::string(4096, 'x')).sent(), "");
  EXPECT_EQ(Jar().take("a=" + std::string(4095, 'x')).sent().size(), 4097U);
}

TEST(Cookies, GoToTheirHostAlone) {
  const Jar jar = Jar().take("a=1");
  EXPECT_EQ(jar.sent("wss://www.example.com/a/b"), "a=1");
  EXPECT_EQ(jar.sent("wss://www.example.com:8443/a/b"), "a=1");  // ports do not matter (section 8.5)
  EXPECT_EQ(jar.sent("wss://example.com/a/b"), "");
  EXPECT_EQ(jar.sent("wss://x.www.example.com/a/b"), "");
}

TEST(Cookies, OfADomainGoToAllOfIt) {
  for (const char* const domain : {"example.com", ".example.com", "EXAMPLE.com"}) {
    const Jar jar = Jar().take(std::string("a=1; Domain=") + domain);
    EXPECT_EQ(jar.sent("wss://example.com/a/b"), "a=1");
    EXPECT_EQ(jar.sent("wss://x.example.com/a/b"), "a=1");
    EXPECT_EQ(jar.sent("wss://badexample.com/a/b"), "");
    EXPECT_EQ(jar.sent("wss://example.com.evil.test/a/b"), "");
  }
}

TEST(Cookies, OfOthersDomainsAreRefused) {
  for (const char* const domain :
       {"com", ".com", "other.com", "x.www.example.com", "ww.example.com", "le.com", "."}) {
    EXPECT_EQ(Jar().take(std::string("a=1; domain=") + domain).jar.size(), 0U) << domain;
  }
  EXPECT_EQ(Jar().take("a=1; domain=localhost", "ws://localhost/").sent("ws://localhost/"), "a=1");
  EXPECT_EQ(Jar().take("a=1; domain=localhost", "ws://localhost/").sent("ws://x.localhost/"), "");
  EXPECT_EQ(Jar().take("a=1; domain=0.0.1", "ws://127.0.0.1/").jar.size(), 0U);
  EXPECT_EQ(Jar().take("a=1; domain=127.0.0.1", "ws://127.0.0.1/").sent("ws://127.0.0.1/"), "a=1");
  EXPECT_EQ(Jar().take("a=1; domain=", "ws://127.0.0.1/").sent("ws://127.0.0.1/"), "a=1");
}

TEST(Cookies, KeepToTheirPath) {
  const Jar by_default = Jar().take("a=1");  // that of /a/b is /a
  for (const char* const path : {"/a", "/a/", "/a/c", "/a/b/c?x"}) {
    EXPECT_EQ(by_default.sent(std::string("wss://www.example.com") + path), "a=1") << path;
  }
  for (const char* const path : {"/", "/ab", "/b/a"}) {
    EXPECT_EQ(by_default.sent(std::string("wss://www.example.com") + path), "") << path;
  }
  EXPECT_EQ(Jar().take("a=1; Path=/x").sent("wss://www.example.com/x/y"), "a=1");
  EXPECT_EQ(Jar().take("a=1; Path=x").sent("wss://www.example.com/a"), "a=1");  // no path: the default
  EXPECT_EQ(Jar().take("a=1", "wss://www.example.com/").sent("wss://www.example.com/z"), "a=1");
}

TEST(Cookies, LongerPathsAndOlderOnesAreFirst) {
  const Jar jar = Jar().take("a=1; path=/").take("b=2; path=/a").take("c=3; path=/").take("d=4; path=/a/b");
  EXPECT_EQ(jar.sent(), "d=4; b=2; a=1; c=3");
}

TEST(Cookies, OfASecureLineStayThere) {
  EXPECT_EQ(Jar().take("a=1; Secure").sent("ws://www.example.com/a"), "");
  EXPECT_EQ(Jar().take("a=1; Secure").sent("wss://www.example.com/a"), "a=1");
  EXPECT_EQ(Jar().take("a=1; Secure", "ws://www.example.com/a/b").jar.size(), 0U);
  EXPECT_EQ(Jar().take("a=1; Secure").take("a=2", "ws://www.example.com/a/b").sent(), "a=1");
  EXPECT_EQ(Jar().take("__Secure-a=1").jar.size(), 0U);
  EXPECT_EQ(Jar().take("__Secure-a=1; secure").jar.size(), 1U);
  EXPECT_EQ(Jar().take("__Host-a=1; secure; path=/").jar.size(), 1U);
  EXPECT_EQ(Jar().take("__Host-a=1; secure").jar.size(), 0U);
  EXPECT_EQ(Jar().take("__Host-a=1; secure; path=/; domain=example.com").jar.size(), 0U);
}

TEST(Cookies, AreReplacedAndTakenBack) {
  EXPECT_EQ(Jar().take("a=1").take("b=2").take("a=3").sent(), "a=3; b=2");
  EXPECT_EQ(Jar().take("a=1").take("a=; Max-Age=0").sent(), "");
  EXPECT_EQ(Jar().take("a=1").take("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT").sent(), "");
  EXPECT_EQ(Jar().take("a=1").take("a=2; path=/").sent(), "a=1; a=2");  // another one
}

TEST(Cookies, End) {
  const Jar jar = Jar().take("a=1; Max-Age=60").take("b=2; Expires=Tue, 14 Nov 2023 22:14:20 GMT");
  EXPECT_EQ(jar.sent("wss://www.example.com/a", now + 59), "a=1; b=2");
  EXPECT_EQ(jar.sent("wss://www.example.com/a", now + 61), "");
  EXPECT_EQ(Jar().take("a=1; max-age=-5").jar.size(), 0U);
  EXPECT_EQ(Jar().take("a=1; max-age=60; expires=Thu, 01 Jan 1970 00:00:00 GMT").jar.size(), 1U);
  EXPECT_EQ(Jar().take("a=1; max-age=x; expires=nonsense").sent("wss://www.example.com/a", now * 10), "a=1");
  EXPECT_EQ(Jar().take("a=1; max-age=" + std::string(400, '9')).sent(), "a=1");
}

TEST(Cookies, AreBounded) {
  Jar jar;
  for (int count = 0; count < 120; ++count) jar.take("n" + std::to_string(count) + "=1");
  EXPECT_EQ(jar.jar.size(), CookieJar::most_cookies);
  EXPECT_EQ(jar.sent().substr(0, 6), "n70=1;");
}

TEST(Cookies, GoBeforeTheUsersOwnOfTheSameName) {
  const Jar jar = Jar().take("id=new");
  EXPECT_EQ(jar.sent("wss://www.example.com/a", now, "id=old; x=1"), "x=1; id=new");
  EXPECT_EQ(jar.sent("wss://www.example.com/a", now, "x=1;;  y"), "x=1; y; id=new");
  EXPECT_EQ(jar.sent("wss://other.example/a", now, "id=old; x=1"), "id=old; x=1");
}

TEST(CookieDate, IsReadInAllItsForms) {
  for (const char* const text :
       {"Tue, 14 Nov 2023 22:13:20 GMT", "Tuesday, 14-Nov-23 22:13:20 GMT", "Tue Nov 14 22:13:20 2023",
        "14 november 2023 22:13:20", "2023 Nov 14 22:13:20", "22:13:20 14 nov 23",
        "Tue, 14 Nov 2023 22:13:20 +0100"}) {
    double seconds = 0.0;
    EXPECT_TRUE(parse_cookie_date(text, seconds)) << text;
    EXPECT_EQ(seconds, now) << text;
  }
  double seconds = 0.0;
  EXPECT_TRUE(parse_cookie_date("Wed, 09 Jun 2100 10:18:14 GMT", seconds));
  EXPECT_GT(seconds, 4e9);
  EXPECT_TRUE(parse_cookie_date("Sun, 06 Nov 1994 08:49:37 GMT", seconds));
  EXPECT_EQ(seconds, 784111777.0);
}

TEST(CookieDate, ThatIsNoneIsRefused) {
  for (const char* const text :
       {"", "nonsense", "14 Nov 2023", "22:13:20", "Tue, 14 Nov 2023 24:13:20 GMT",
        "Tue, 14 Nov 2023 22:60:20 GMT", "Tue, 31 Feb 2023 22:13:20 GMT", "Tue, 0 Nov 2023 22:13:20 GMT",
        "Tue, 32 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 1600 22:13:20 GMT", "Tue, 14 Xov 2023 22:13:20 GMT",
        "::: ;;; ,,,"}) {
    double seconds = 0.0;
    EXPECT_FALSE(parse_cookie_date(text, seconds)) << text;
  }
}

}  // namespace
}  // namespace fastws::net
