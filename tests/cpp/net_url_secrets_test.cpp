// Which values of a query are hidden, and that nothing else is touched.
#include "net/url_secrets.hpp"

#include <gtest/gtest.h>

#include "net/url.hpp"

namespace fastws::net {
namespace {

TEST(UrlSecrets, AreHiddenByTheirNames) {
  for (const char* const name : {"token",
                                 "TOKEN",
                                 "access_token",
                                 "id-token",
                                 "accessToken",
                                 "api_key",
                                 "apikey",
                                 "X-API-Key",
                                 "secret",
                                 "client_secret",
                                 "password",
                                 "pwd",
                                 "sig",
                                 "signature",
                                 "X-Amz-Signature",
                                 "X-Amz-Security-Token",
                                 "X-Amz-Credential",
                                 "auth",
                                 "jwt",
                                 "session",
                                 "sid",
                                 "ticket"}) {
    EXPECT_EQ(without_secrets("/p?a=1&" + std::string(name) + "=hush&b=2"),
              "/p?a=1&" + std::string(name) + "=***&b=2");
  }
}

TEST(UrlSecrets, NothingElseIsTouched) {
  for (const char* const resource :
       {"/", "/token=hush", "/?", "/?a", "/?token", "/?a=1&b=2;c=3", "/?=x", "/?symbol=EURUSD&depth=5",
        "/?&&=&", "/?tokens=3", "/?keyboard=de", "/p?a=x?y=z"}) {
    EXPECT_EQ(without_secrets(resource), resource);
  }
}

TEST(UrlSecrets, EmptyDoubledAndOddOnes) {
  EXPECT_EQ(without_secrets("/?token="), "/?token=***");
  EXPECT_EQ(without_secrets("/?token=a=b"), "/?token=***");
  EXPECT_EQ(without_secrets("/?token=a&token=b"), "/?token=***&token=***");
  EXPECT_EQ(without_secrets("/?a=1;token=b"), "/?a=1;token=***");
  EXPECT_EQ(without_secrets("?key=%26x"), "?key=***");
}

TEST(UrlSecrets, AreSentAndNotShown) {
  const Url url = parse_url("wss://u:p@h/x?token=hush&a=1");
  EXPECT_EQ(url.resource, "/x?token=hush&a=1");
  EXPECT_EQ(url.shown(), "wss://h/x?token=***&a=1");
}

}  // namespace
}  // namespace fastws::net
