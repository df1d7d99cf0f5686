// Every setting in one place, so that keys are spelled once.
#include "settings.hpp"

#include <pybind11/stl.h>

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace py = pybind11;

namespace fastws::python {

namespace {

/// A value of the config under its key: a missing or wrong one says which.
template <class Value>
Value get(const py::dict& config, const char* key) {
  if (!config.contains(key)) throw py::key_error(key);
  try {
    return config[key].cast<Value>();
  } catch (const py::cast_error&) {
    throw py::type_error(std::string("config[") + key + "] has a wrong type");
  }
}

policy::Backoff backoff_from(const py::dict& config) {
  policy::Backoff backoff;
  backoff.base = get<double>(config, "base");
  backoff.factor = get<double>(config, "factor");
  backoff.cap = get<double>(config, "cap");
  backoff.jitter = get<double>(config, "jitter");
  backoff.min_uptime = get<double>(config, "min_uptime");
  backoff.max_retries = get<std::optional<std::uint32_t>>(config, "max_retries");
  backoff.max_elapsed = get<std::optional<double>>(config, "max_elapsed");
  backoff.close_code_delay =
      get<std::map<std::uint16_t, std::pair<double, double>>>(config, "close_code_delay");
  backoff.fatal_close_codes.clear();
  for (const auto code : get<std::vector<std::uint16_t>>(config, "fatal_close_codes")) {
    backoff.fatal_close_codes.insert(code);
  }
  backoff.retry_after_cap = get<double>(config, "retry_after_cap");
  return backoff;
}

net::TlsOptions tls_from(const py::dict& config) {
  net::TlsOptions tls;
  tls.ca_file = get<std::string>(config, "ca_file");
  tls.ca_path = get<std::string>(config, "ca_path");
  tls.ca_data = get<std::string>(config, "ca_data");
  tls.cert_file = get<std::string>(config, "cert_file");
  tls.key_file = get<std::string>(config, "key_file");
  tls.key_password = get<std::string>(config, "key_password");
  tls.verify = get<bool>(config, "verify");
  tls.server_name = get<std::string>(config, "server_name");
  tls.min_version = get<std::string>(config, "min_version");
  tls.alpn = get<std::vector<std::string>>(config, "alpn");
  tls.keylog_file = get<std::string>(config, "keylog_file");
  if (const auto trust = get<std::optional<std::pair<std::string, std::string>>>(config, "trust")) {
    tls.trust = net::Trust{trust->first, trust->second};
  }
  return tls;
}

engine::DeflateOptions deflate_from(const py::handle& config) {
  engine::DeflateOptions deflate;
  deflate.offered = !config.is_none();
  if (!deflate.offered) return deflate;
  const auto given = config.cast<py::dict>();
  deflate.level = get<int>(given, "level");
  deflate.window_bits = get<int>(given, "window_bits");
  deflate.context_takeover = get<bool>(given, "context_takeover");
  deflate.threshold = get<std::size_t>(given, "threshold_bytes");
  return deflate;
}

std::optional<net::Address> local_from(const py::handle& config) {
  if (config.is_none()) return std::nullopt;
  const auto [host, port] = config.cast<std::pair<std::string, std::uint16_t>>();
  try {
    net::Address address = net::literal_address(host);
    address.set_port(port);
    return address;
  } catch (const std::invalid_argument& error) {
    throw py::value_error(std::string("local_address: ") + error.what());
  }
}

client::Policy policy_from(const py::handle& config) {
  const auto [name, key] = config.cast<std::pair<std::string, std::string>>();
  using Kind = client::Policy::Kind;
  for (const auto& [kind, its_name] :
       {std::pair(Kind::pause, "pause"), std::pair(Kind::drop_oldest, "drop_oldest"),
        std::pair(Kind::drop_newest, "drop_newest"), std::pair(Kind::latest, "latest")}) {
    if (name == its_name) return {kind, key};
  }
  throw py::value_error("no overflow policy is called " + name);
}

client::Overflow overflow_from(const py::dict& config) {
  client::Overflow overflow;
  overflow.others = policy_from(config["others"]);
  overflow.unrouted = policy_from(config["unrouted"]);
  overflow.binary = policy_from(config["binary"]);
  for (const auto& [route, policy] : get<py::dict>(config, "by_route")) {
    overflow.by_route.emplace(route.cast<std::string>(), policy_from(policy));
  }
  return overflow;
}

net::ProxySetting proxy_from(const py::dict& config) {
  net::ProxySetting setting;
  if (config.contains("url")) {
    try {
      setting.fixed = net::parse_proxy(get<std::string>(config, "url"));
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument(std::string("proxy: ") + error.what());
    }
  } else if (!config.empty()) {
    setting.environment =
        net::ProxyEnvironment{get<std::string>(config, "http_proxy"), get<std::string>(config, "https_proxy"),
                              get<std::string>(config, "all_proxy"), get<std::string>(config, "no_proxy")};
  }
  return setting;
}

client::OfflineOptions offline_from(const py::dict& config) {
  using Policy = client::OfflineOptions::Policy;
  using Full = client::OfflineOptions::Full;
  client::OfflineOptions offline;
  const auto policy = get<std::string>(config, "policy");
  offline.policy = policy == "queue" ? Policy::queue : policy == "raise" ? Policy::raise : Policy::drop;
  if (offline.policy != Policy::queue) return offline;
  offline.messages = get<std::size_t>(config, "messages");
  offline.bytes = get<std::size_t>(config, "bytes");
  offline.ttl = get<std::optional<double>>(config, "ttl");
  const auto on_full = get<std::string>(config, "on_full");
  offline.on_full = on_full == "raise"         ? Full::raise
                    : on_full == "drop_newest" ? Full::drop_newest
                                               : Full::drop_oldest;
  return offline;
}

}  // namespace

Headers headers_from(const py::handle& pairs) {
  return pairs.cast<std::vector<std::pair<std::string, std::string>>>();
}

client::Target target_from(const std::optional<std::string>& url, const py::handle& headers,
                           const client::Options& options) {
  client::Target target;
  if (url) target.url = net::parse_url(*url);
  if (!url && !options.url_provider) throw py::value_error("there is neither a url nor a url provider");
  target.headers = headers_from(headers);
  net::TlsOptions checked = options.tls;
  // A plain connection needs no authorities: everything is checked but that there are some.
  checked.verify = checked.verify && target.url && target.url->secure;
  net::check_tls(checked);
  if (!target.url) return target;
  (void)options.proxy.choose(*target.url);  // what the environment says must be usable
  if (!target.url->unix_path.empty()) {
    if (options.proxy.fixed) throw py::value_error("proxy: there is none on the way to a ws+unix URL");
    if (options.local) throw py::value_error("local_address has no meaning with a ws+unix URL");
  }
  return target;
}

client::Options options_from(const py::dict& config) {
  client::Options options;
  options.url_provider = get<bool>(config, "url_provider");
  options.headers_provider = get<bool>(config, "headers_provider");
  options.subprotocols = get<std::vector<std::string>>(config, "subprotocols");
  options.origin = get<std::optional<std::string>>(config, "origin").value_or("");
  options.user_agent = get<std::optional<std::string>>(config, "user_agent").value_or("");
  options.tls = tls_from(get<py::dict>(config, "tls"));
  options.keep_cookies = get<bool>(config, "keep_cookies");
  options.max_redirects = get<unsigned>(config, "max_redirects");
  options.deflate = deflate_from(config["compress"]);
  options.proxy = proxy_from(get<py::dict>(config, "proxy"));
  options.local = local_from(config["local_address"]);
  options.route_by = get<std::vector<std::string>>(config, "route_by");
  options.json = get<std::string>(config, "decode") == "json";
  options.settle = get<double>(config, "settle");
  auto& life = options.life;
  life.backoff = backoff_from(get<py::dict>(config, "backoff"));
  life.reconnect = get<bool>(config, "reconnect");
  life.has_provider = options.url_provider || options.headers_provider;
  life.asks = get<bool>(config, "asks");
  life.connect_timeout = get<double>(config, "connect_timeout");
  life.close_timeout = get<double>(config, "close_timeout");
  life.ping_interval = get<std::optional<double>>(config, "ping_interval");
  life.pong_timeout = get<std::optional<double>>(config, "pong_timeout");
  options.max_message_bytes = get<std::size_t>(config, "max_message_bytes");
  options.inbox_messages = get<std::size_t>(config, "inbox_messages");
  options.inbox_bytes = get<std::size_t>(config, "inbox_bytes");
  options.overflow = overflow_from(get<py::dict>(config, "overflow"));
  options.record = get<std::string>(config, "record");
  options.outbox_bytes = get<std::size_t>(config, "outbox_bytes");
  options.send_timeout = get<std::optional<double>>(config, "send_timeout");
  options.offline = offline_from(get<py::dict>(config, "offline"));
  if (const auto beat = get<std::optional<std::pair<std::string, double>>>(config, "heartbeat")) {
    options.beat = client::Beat{beat->first, beat->second};
  }
  using Rule = std::pair<std::vector<std::pair<std::string, std::string>>, std::string>;
  for (auto& rule : get<std::vector<Rule>>(config, "auto_reply")) {
    options.replies.push_back({std::move(rule.first), std::move(rule.second)});
  }
  return options;
}

}  // namespace fastws::python
