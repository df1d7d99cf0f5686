// One attempt to connect: who says where to, the dialing, and the redirects on the way, all inside its one deadline.
#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>
#include <vector>

#include "../engine/http_response.hpp"
#include "../net/url_reference.hpp"
#include "client.hpp"

namespace fastws::client {

using policy::State;

namespace {

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// What tells a server who we are, and is meant for that server alone.
bool is_credential(const std::string& name) {
  return engine::equal_names(name, "Authorization") || engine::equal_names(name, "Cookie") ||
         engine::equal_names(name, "Proxy-Authorization");
}

}  // namespace

void Client::start(std::uint64_t epoch) {
  if (wait_for_older()) return;
  if (predecessor_) {
    predecessor_.reset();
    const std::lock_guard<std::mutex> lock(mutex_);
    machine_.dialing(net::monotonic_now(), epoch);
  }
  if (!options_->url_provider && !options_->headers_provider) {
    begin_attempt(epoch, *target_.url, {});
    return;
  }
  providing_ = epoch;
  Question question;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    question.epoch = epoch;
    question.attempt = machine_.failures() + 1;
    question.is_reconnect = ever_open_;
    question.last_close = last_close_;
    question.last_error = last_error();
  }
  asking_->ask(std::move(question));
  bell_.ring();
}

void Client::begin_attempt(std::uint64_t epoch, const net::Url& url, const Headers& headers) {
  attempt_ = std::make_unique<Attempt>(Attempt{url, headers, 0});
  const auto asked_for = [&headers](const std::string& name) {
    return std::any_of(headers.begin(), headers.end(),
                       [&name](const auto& header) { return engine::equal_names(header.first, name); });
  };
  // Two Authorization headers are an error to any server: the one that was asked for this attempt goes before auth=.
  std::vector<Headers::value_type> fixed;
  std::copy_if(target_.headers.begin(), target_.headers.end(), std::back_inserter(fixed),
               [&](const auto& header) { return !is_credential(header.first) || !asked_for(header.first); });
  attempt_->headers.insert(attempt_->headers.begin(), fixed.begin(), fixed.end());
  dial(epoch);
}

void Client::dial(std::uint64_t epoch) {
  const net::Url& url = attempt_->url;
  Plan plan;
  plan.epoch = epoch;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (machine_.state() != State::connecting || machine_.epoch() != epoch) return;
    shown_url_ = url.shown();
    transport_life_ = machine_.life();
    plan.deadline = machine_.deadline().value_or(net::monotonic_now() + options_->life.connect_timeout);
  }
  plan.opened_before = ever_open_;
  plan.dial.url = url;
  plan.dial.tls = options_->tls;
  plan.dial.proxy = options_->proxy;
  plan.dial.local = options_->local;
  const auto& life = options_->life;
  if (life.ping_interval && life.pong_timeout)
    plan.dial.user_timeout = *life.ping_interval + *life.pong_timeout;
  plan.request.host = url.authority();
  plan.request.resource = url.resource;
  plan.request.headers = attempt_->headers;
  add_cookies(plan.request.headers);
  plan.request.subprotocols = options_->subprotocols;
  plan.request.origin = options_->origin;
  plan.request.user_agent = options_->user_agent;
  plan.request.deflate = options_->deflate;
  plan.limits.max_message_bytes = options_->max_message_bytes;
  Transport::Owner& owner = *this;  // private to everybody else
  transport_ = std::make_shared<Transport>(io_, line_, owner, std::move(plan));
  transport_->dial();
}

void Client::add_cookies(Headers& headers) const {
  if (!options_->keep_cookies) return;
  const auto own = std::find_if(headers.begin(), headers.end(), [](const auto& header) {
    return engine::equal_names(header.first, "Cookie");
  });
  const std::string given = own == headers.end() ? "" : own->second;
  std::string all = jar_.header(attempt_->url, net::wall_now(), given);
  if (own != headers.end()) {
    own->second = std::move(all);
  } else if (!all.empty()) {
    headers.emplace_back("Cookie", std::move(all));
  }
}

void Client::keep_cookies(const Headers& headers) {
  if (!options_->keep_cookies) return;
  for (const auto& header : headers) {
    if (engine::equal_names(header.first, "Set-Cookie"))
      jar_.take(header.second, attempt_->url, net::wall_now());
  }
}

void Client::transport_failed(Failure failure) {
  const std::uint64_t epoch = transport_->epoch();
  const bool from_server =
      failure.phase == Phase::http;  // a proxy's answer sets no cookies and leads nowhere
  if (from_server) keep_cookies(failure.headers);
  if (!from_server || !is_redirect(failure.http_status) || !follow(failure)) {
    attempt_failed(epoch, std::move(failure));
    return;
  }
  transport_->end();
  transport_.reset();
  dial(epoch);
}

bool Client::follow(Failure& failure) {
  const auto location = std::find_if(failure.headers.begin(), failure.headers.end(), [](const auto& header) {
    return engine::equal_names(header.first, "Location");
  });
  const auto refuse = [&failure](const std::string& why) {
    failure.message += "; the redirect was not followed: " + why;
    return false;
  };
  if (options_->max_redirects == 0) return refuse("max_redirects is 0");
  if (attempt_->redirects >= options_->max_redirects) {
    return refuse("it is one more than max_redirects (" + std::to_string(options_->max_redirects) + ")");
  }
  if (location == failure.headers.end()) return refuse("it does not say where to");
  net::Url next;
  try {
    next = net::resolve_reference(attempt_->url, location->second);
  } catch (const std::exception& error) {
    return refuse(error.what());
  }
  if (attempt_->url.secure && !next.secure) return refuse("it leads from wss to " + next.shown());
  if (!net::same_origin(attempt_->url, next)) {
    auto& headers = attempt_->headers;
    headers.erase(std::remove_if(headers.begin(), headers.end(),
                                 [](const auto& header) { return is_credential(header.first); }),
                  headers.end());
  }
  attempt_->url = std::move(next);
  ++attempt_->redirects;
  return true;
}

}  // namespace fastws::client
