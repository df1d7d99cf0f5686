// What of a refusal's page is shown: a line of plain text, and nothing that was sent as a secret.
#include "engine/page.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

using fastws::engine::Request;
using fastws::engine::start_of_page;

std::string shown(const std::string& body, const std::string& resource = "/",
                  const std::string& header = "") {
  Request request;
  request.resource = resource;
  request.headers = {{"Authorization", header}};
  return start_of_page(body, request);
}

TEST(EnginePage, TextIsOneLine) {
  EXPECT_EQ(shown("token expired\n"), "token expired");
  EXPECT_EQ(shown(" {\r\n\t\"error\": \"größer\"\n}"), "{ \"error\": \"größer\" }");
  EXPECT_EQ(shown(""), "");
  EXPECT_EQ(shown(" \n "), "");
}

TEST(EnginePage, AtMost80Characters) {
  EXPECT_EQ(shown(std::string(80, 'a')), std::string(80, 'a'));
  EXPECT_EQ(shown(std::string(81, 'a')), std::string(80, 'a') + "…");
  std::string umlauts;
  for (int count = 0; count < 80; ++count) umlauts += "ä";
  EXPECT_EQ(shown(umlauts), umlauts);
  EXPECT_EQ(shown(umlauts + "ä"), umlauts + "…");
}

TEST(EnginePage, WhatIsNoPlainTextIsNotShown) {
  for (const char* body : {"<html>no</html>", "\x1b[31mred", "a\x7f", "\xff\xfe",
                           "a\xC2\x85"
                           "b",
                           "a\xE2\x80\xA8"
                           "b",
                           "a\xE2\x80\xAE"
                           "b",
                           "\x1f\x8b\x08"}) {
    EXPECT_EQ(shown(body), "") << body;
  }
  EXPECT_EQ(shown(std::string("a\0b", 3)), "");
}

TEST(EnginePage, SecretsThatTheServerRepeatsAreMasked) {
  EXPECT_EQ(shown("bad token hush", "/ws?token=hush"), "bad token ***");
  EXPECT_EQ(shown("GET /ws?a=1&token=hush?", "/ws?a=1&token=hush"), "GET /ws?a=1&token=***?");
  EXPECT_EQ(shown("bad hush+hush/more", "/ws?key=hush%2Bhush%2Fmore"), "bad ***+***/***");
  EXPECT_EQ(shown("Bearer abcdefgh.x is no token", "/", "Bearer abcdefgh.x"), "Bearer *** is no token");
}

}  // namespace
