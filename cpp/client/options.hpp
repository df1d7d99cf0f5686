// What one client is told at its making: every setting, checked and in native units.
//
// May know: the value types of net and policy. Promises: plain data, never changed afterwards, so that clients which are
// told the same may share it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "../engine/deflate_terms.hpp"
#include "../error.hpp"
#include "../net/dialer.hpp"
#include "../net/proxy.hpp"
#include "../net/url.hpp"
#include "../policy/lifecycle.hpp"
#include "offline.hpp"
#include "overflow.hpp"
#include "replies.hpp"

namespace fastws::client {

/// A text that is sent every so many seconds while open.
struct Beat {
  std::string text;
  double every = 0.0;
};

/// What is one client's alone: where it connects to, and what it says there.
struct Target {
  std::optional<net::Url> url;  // nullopt: a provider gives it before every attempt
  Headers headers;
};

/// Everything else, nearly 2 KiB of it.
struct Options {
  bool url_provider = false;
  bool headers_provider = false;
  std::vector<std::string> subprotocols;
  std::string origin;
  std::string user_agent;
  bool keep_cookies = true;    // what servers set goes with the next attempts
  unsigned max_redirects = 5;  // of one attempt; 0 = none is followed
  net::TlsOptions tls;
  engine::DeflateOptions deflate;
  net::ProxySetting proxy;
  std::optional<net::Address> local;  // where to connect from

  std::vector<std::string> route_by;  // empty: no routing
  bool json = true;                   // false: text frames are delivered as text
  double settle = 1.0;                // seconds

  policy::Settings life;
  std::optional<Beat> beat;
  std::vector<ReplyRule> replies;
  OfflineOptions offline;

  std::size_t max_message_bytes = std::size_t{64} << 20;
  std::size_t inbox_messages = 1000000;
  std::size_t inbox_bytes = std::size_t{256} << 20;
  Overflow overflow;
  std::string record;  // path; empty = messages are not recorded
  std::size_t outbox_bytes = std::size_t{16} << 20;
  std::optional<double> send_timeout = 10.0;  // seconds; nullopt = wait for ever
};

}  // namespace fastws::client
