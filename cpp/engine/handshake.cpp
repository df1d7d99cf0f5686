// websocketpp would sort the headers, lose IPv6 brackets in Host and accept any subprotocol, so the texts are
// ours.
#include "handshake.hpp"

#include <algorithm>
#include <utility>

#include "page.hpp"

namespace fastws::engine {
namespace {

void add_line(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\r\n");
}

bool has_header(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return equal_names(header.first, name); });
}

}  // namespace

std::string compose_request(const Request& request, std::string_view key, std::string_view extension_offer) {
  std::string text = "GET " + request.resource + " HTTP/1.1\r\n";
  // A header the user gives replaces the one we would send: two Host headers are an error to any server.
  const auto add_ours = [&](std::string_view name, const std::string& value) {
    if (!value.empty() && !has_header(request.headers, name)) add_line(text, name, value);
  };
  add_ours("Host", request.host);
  add_line(text, "Upgrade", "websocket");
  add_line(text, "Connection", "Upgrade");
  add_line(text, "Sec-WebSocket-Key", key);
  add_line(text, "Sec-WebSocket-Version", "13");
  if (!extension_offer.empty()) add_line(text, "Sec-WebSocket-Extensions", extension_offer);
  std::string protocols;
  for (const std::string& name : request.subprotocols)
    protocols.append(protocols.empty() ? "" : ", ").append(name);
  if (!protocols.empty()) add_line(text, "Sec-WebSocket-Protocol", protocols);
  add_ours("Origin", request.origin);
  add_ours("User-Agent", request.user_agent);
  for (const auto& [name, value] : request.headers) add_line(text, name, value);
  return text.append("\r\n");
}

std::string fault_of_upgrade(const HttpResponseReader& response,
                             const std::vector<std::string>& subprotocols) {
  if (!has_token(response.header("Upgrade"), "websocket")) {
    return "the server's 101 response has no \"Upgrade: websocket\" header; does a proxy in between drop it?";
  }
  if (!has_token(response.header("Connection"), "upgrade")) {
    return "the server's 101 response has no \"Connection: Upgrade\" header; does a proxy in between drop "
           "it?";
  }
  const std::string protocol = response.header("Sec-WebSocket-Protocol");
  if (response.count("Sec-WebSocket-Protocol") > 0 &&
      std::find(subprotocols.begin(), subprotocols.end(), protocol) == subprotocols.end()) {
    return "the server chose the subprotocol \"" + protocol +
           "\", which was not requested; subprotocols= names those";
  }
  return {};
}

Failure rejection_of(HttpResponseReader& response, const Request& request) {
  Failure failure;
  failure.phase = Phase::http;
  failure.http_status = response.status();
  failure.message = "the server answered " + std::to_string(response.status());
  if (!response.reason().empty()) failure.message.append(" ").append(response.reason());
  failure.message += " instead of opening a WebSocket (101)";
  if (const std::string start = start_of_page(response.body(), request); !start.empty()) {
    failure.message.append("; it says: ").append(start);
  }
  failure.headers = std::move(response.headers());
  failure.body = std::move(response.body());
  return failure;
}

}  // namespace fastws::engine
