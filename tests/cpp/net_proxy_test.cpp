// Which proxy is used: proxy URLs, the environment's variables, and who is exempt from them.
#include "net/proxy.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace fastws::net {
namespace {

std::string fault(const std::string& text) {
  try {
    parse_proxy(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

// --- URLs ------------------------------------------------------------------------------------------------------------

TEST(ProxyUrl, of_each_kind) {
  const Proxy http = parse_proxy("http://proxy.test");
  EXPECT_EQ(http.kind, Proxy::Kind::http);
  EXPECT_FALSE(http.secure);
  EXPECT_TRUE(http.resolves_names);
  EXPECT_EQ(http.where(), "proxy.test:80");
  EXPECT_FALSE(http.user.has_value());

  const Proxy https = parse_proxy("HTTPS://Proxy.Test/");
  EXPECT_EQ(https.kind, Proxy::Kind::http);
  EXPECT_TRUE(https.secure);
  EXPECT_EQ(https.where(), "proxy.test:443");

  const Proxy socks5 = parse_proxy("socks5://[::1]");
  EXPECT_EQ(socks5.kind, Proxy::Kind::socks5);
  EXPECT_FALSE(socks5.resolves_names);
  EXPECT_EQ(socks5.where(), "[::1]:1080");

  const Proxy socks5h = parse_proxy("socks5h://127.0.0.1:9050");
  EXPECT_EQ(socks5h.kind, Proxy::Kind::socks5);
  EXPECT_TRUE(socks5h.resolves_names);
  EXPECT_EQ(socks5h.where(), "127.0.0.1:9050");
}

TEST(ProxyUrl, with_a_user_and_password_that_are_percent_decoded) {
  const Proxy proxy = parse_proxy("http://an%40n:p%2Fw%20d:%C3%BC@proxy.test:3128");
  EXPECT_EQ(proxy.user, "an@n");
  EXPECT_EQ(proxy.password, "p/w d:\xC3\xBC");
  EXPECT_EQ(proxy.where(), "proxy.test:3128");
  EXPECT_EQ(parse_proxy("socks5://ann@proxy.test").password, "");
}

TEST(ProxyUrl, that_can_not_be_used_is_refused_by_name_and_shows_no_secret) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"proxy.test:3128", "must begin with http://, https://, socks5:// or socks5h://"},
      {"", "must begin with"},
      {"ftp://proxy.test", "the scheme must be"},
      {"socks4://proxy.test", "the scheme must be"},
      {"socks://proxy.test", "the scheme must be"},
      {"http://", "no host"},
      {"http://:3128", "no host"},
      {"http://proxy.test:0", "port"},
      {"http://proxy.test:65536", "port"},
      {"http://proxy.test:http", "port"},
      {"http://[::1", "bracket"},
      {"http://proxy.test/path", "no path"},
      {"http://proxy.test?query", "no path"},
      {"http://proxy.test#fragment", "no path"},
      {"http://ann:sec/ret@proxy.test", "%2F"},
      {"http://ann:secret%0D%0AX:y@proxy.test", "line break"},
      {"http://ann:secret%@proxy.test", "hexadecimal"},
      {"http://ann:sec ret@proxy.test", "space"},
      {"http://a%3Ab:secret@proxy.test", "colon"},
      {"socks5://:secret@proxy.test", "no empty user"},
      {"socks5h://" + std::string(256, 'a') + ":secret@proxy.test", "255 bytes"},
      {"socks5h://ann:" + std::string(256, 'a') + "@proxy.test", "255 bytes"},
  };
  for (const auto& [text, says] : cases) {
    EXPECT_NE(fault(text).find(says), std::string::npos) << text << ": " << fault(text);
    EXPECT_EQ(fault(text).find("secret"), std::string::npos) << fault(text);
  }
}

TEST(ProxyUrl, holds_the_longest_that_socks_can_send) {
  const std::string longest(255, 'a');
  EXPECT_EQ(parse_proxy("socks5://" + longest + ":" + longest + "@proxy.test").password, longest);
}

// --- Who is exempt ---------------------------------------------------------------------------------------------------

struct Case {
  std::string list;
  std::string host;
  bool exempt;
  std::uint16_t port = 443;
};

TEST(NoProxy, table) {
  const std::vector<Case> cases = {
      {"", "example.com", false},
      {",, ,", "example.com", false},
      // everything
      {"*", "example.com", true},
      {"*", "10.0.0.1", true},
      {"a.test, *", "example.com", true},
      // names, and all below them
      {"example.com", "example.com", true},
      {"example.com", "www.example.com", true},
      {"example.com", "a.b.example.com", true},
      {"example.com", "notexample.com", false},
      {"example.com", "example.com.evil.test", false},
      {"www.example.com", "example.com", false},
      {".example.com", "example.com", true},
      {".example.com", "www.example.com", true},
      {".example.com", "notexample.com", false},
      {"*.example.com", "www.example.com", true},
      {"*.example.com", "notexample.com", false},
      {"EXAMPLE.com", "example.com", true},
      {"example.com.", "example.com", true},
      {"example.com", "example.com.", true},
      {"com", "example.com", true},
      {".", "example.com", false},
      {"*ample.com", "example.com", false},
      {"ex*", "example.com", false},
      // lists
      {"a.test,example.com", "example.com", true},
      {"a.test, example.com", "example.com", true},
      {"a.test example.com", "example.com", true},
      {"a.test,\texample.com,b.test", "example.com", true},
      {"a.test,b.test", "example.com", false},
      // ports
      {"example.com:443", "example.com", true},
      {"example.com:80", "example.com", false},
      {"example.com:80,example.com:443", "example.com", true},
      {".example.com:443", "www.example.com", true},
      {"example.com:", "example.com", false},
      {"example.com:https", "example.com", false},
      {"example.com:443443", "example.com", false},
      {"10.0.0.1:443", "10.0.0.1", true},
      {"10.0.0.1:80", "10.0.0.1", false},
      {"[2001:db8::1]:443", "2001:db8::1", true},
      {"[2001:db8::1]:80", "2001:db8::1", false},
      // addresses
      {"10.0.0.1", "10.0.0.1", true},
      {"10.0.0.1", "10.0.0.10", false},
      {"0.0.1", "10.0.0.1", false},
      {".0.0.1", "10.0.0.1", false},
      {"1", "10.0.0.1", false},
      {"2001:db8::1", "2001:db8::1", true},
      {"2001:0db8:0:0:0:0:0:1", "2001:db8::1", true},
      {"[2001:db8::1]", "2001:db8::1", true},
      {"[2001:db8::1", "2001:db8::1", false},
      {"[2001:db8::1]x", "2001:db8::1", false},
      {"2001:db8::2", "2001:db8::1", false},
      {"fe80::1", "fe80::1%eth0", true},
      {"10.0.0.1", "::ffff:10.0.0.1", true},
      {"10.0.0.1", "10.1", true},  // the short form of the same address
      {"10.0.0.1", "ten.test", false},
      // blocks
      {"10.0.0.0/8", "10.200.3.4", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"10.1.2.3/8", "10.200.3.4", true},
      {"192.168.1.128/25", "192.168.1.129", true},
      {"192.168.1.128/25", "192.168.1.127", false},
      {"192.168.1.7/32", "192.168.1.7", true},
      {"192.168.1.7/32", "192.168.1.6", false},
      {"0.0.0.0/0", "8.8.8.8", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"2001:db8::/32", "2001:db8:ffff::1", true},
      {"2001:db8::/32", "2001:db9::1", false},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"::/0", "2001:db8::1", true},
      {"10.0.0.0/33", "10.0.0.1", false},
      {"10.0.0.0/", "10.0.0.1", false},
      {"10.0.0.0/-1", "10.0.0.1", false},
      {"10.0.0.0/8x", "10.0.0.1", false},
      {"10.0.0.0/123456", "10.0.0.1", false},
      {"10.0.0/8", "10.0.0.1", false},
      {"/8", "10.0.0.1", false},
      {"10.0.0.0/8", "example.com", false},
      {"example.com/8", "example.com", false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(is_exempt(one.list, one.host, one.port), one.exempt) << "\"" << one.list << "\" " << one.host;
  }
}

TEST(Loopback, is_known_by_name_and_by_address) {
  for (const char* host : {"localhost", "localhost.", "a.localhost", "127.0.0.1", "127.9.9.9", "127.1", "::1",
                           "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1", "0.0.0.0", "::"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host : {"localhost.test", "notlocalhost", "128.0.0.1", "126.255.255.255", "10.0.0.1",
                           "::2", "::ffff:10.0.0.1", "example.com", "127.test"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

// --- The choice ------------------------------------------------------------------------------------------------------

std::string chosen(const ProxySetting& setting, const std::string& url) {
  const auto proxy = setting.choose(parse_url(url));
  return proxy ? proxy->where() : "none";
}

ProxySetting from(const ProxyEnvironment& environment) {
  ProxySetting setting;
  setting.environment = environment;
  return setting;
}

TEST(ProxyChoice, without_a_setting_is_none) { EXPECT_EQ(chosen({}, "ws://example.com"), "none"); }

TEST(ProxyChoice, of_a_named_proxy_holds_for_every_host) {
  ProxySetting setting;
  setting.fixed = parse_proxy("http://named.test:1");
  for (const char* url : {"ws://example.com", "wss://example.com", "ws://127.0.0.1", "wss://localhost"}) {
    EXPECT_EQ(chosen(setting, url), "named.test:1");
  }
}

TEST(ProxyChoice, of_the_environment_goes_by_the_scheme) {
  const auto setting = from({"http://plain.test:1", "http://secure.test:2", "socks5h://all.test:3", ""});
  EXPECT_EQ(chosen(setting, "ws://example.com"), "plain.test:1");
  EXPECT_EQ(chosen(setting, "http://example.com"), "plain.test:1");
  EXPECT_EQ(chosen(setting, "wss://example.com"), "secure.test:2");
}

TEST(ProxyChoice, of_the_environment_falls_back_to_all_proxy) {
  const auto setting = from({"", "http://secure.test:2", "socks5h://all.test:3", ""});
  EXPECT_EQ(chosen(setting, "ws://example.com"), "all.test:3");
  EXPECT_EQ(chosen(setting, "wss://example.com"), "secure.test:2");
  EXPECT_EQ(chosen(from({"http://plain.test:1", "", "", ""}), "wss://example.com"), "none");
}

TEST(ProxyChoice, of_the_environment_never_holds_for_loopback_and_the_exempt) {
  const auto setting = from({"plain.test:1", "secure.test:2", "", "internal.test,example.com:81"});
  for (const char* url : {"ws://localhost", "wss://localhost", "ws://127.0.0.1:8080", "wss://[::1]:8443",
                          "ws://internal.test", "wss://a.internal.test", "ws://example.com:81"}) {
    EXPECT_EQ(chosen(setting, url), "none") << url;
  }
  EXPECT_EQ(chosen(setting, "ws://example.com"), "plain.test:1");
}

TEST(ProxyChoice, takes_a_variable_without_a_scheme_for_an_http_proxy) {
  const auto proxy = from({"ann:pw@plain.test:1", "", "", ""}).choose(parse_url("ws://example.com"));
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->kind, Proxy::Kind::http);
  EXPECT_FALSE(proxy->secure);
  EXPECT_EQ(proxy->user, "ann");
}

TEST(ProxyChoice, names_the_variable_that_can_not_be_used_only_where_it_would_be) {
  const auto setting = from({"", "ftp://ann:secret@secure.test", "http://all.test:port", "internal.test"});
  const auto says = [&](const std::string& url) {
    try {
      return chosen(setting, url);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(says("wss://example.com"),
            "the environment's https_proxy: bad URL: the scheme must be http, https, socks5 or socks5h");
  EXPECT_EQ(says("ws://example.com"),
            "the environment's all_proxy: bad URL: the port is not a number from 1 to 65535");
  EXPECT_EQ(says("wss://internal.test"), "none");
  EXPECT_EQ(says("wss://localhost"), "none");
}

}  // namespace
}  // namespace fastws::net
