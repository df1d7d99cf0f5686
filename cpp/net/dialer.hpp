// From a URL to a byte stream: resolve, connect over all addresses, proxy, TLS, under one deadline.
//
// May know: resolver, race, proxy, tunnel, tls, stream, loop. Promises: calls back exactly once on the loop's thread, or never after
// abort() or destruction; a running getaddrinfo is abandoned, nobody waits for it; at most one stream comes out.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../error.hpp"
#include "loop.hpp"
#include "proxy.hpp"
#include "resolver.hpp"
#include "stream.hpp"
#include "trust.hpp"
#include "url.hpp"

namespace fastws::net {

/// What TLS needs to know (api: Tls). Equal values share one SSL_CTX.
struct TlsOptions {
  std::string ca_file, ca_path, ca_data;  // all empty = the system's trust store
  std::string cert_file, key_file, key_password;
  bool verify = true;
  std::string server_name;                       // empty = the URL's host
  std::string min_version;                       // "", "1.2" or "1.3"; "" = 1.2
  std::vector<std::string> alpn = {"http/1.1"};  // what is offered (RFC 7301); none = no such extension
  std::string keylog_file;  // where secrets are appended (SSLKEYLOGFILE format); "" = nowhere
  std::optional<Trust>
      trust;  // the system's, where it was looked for already; nullopt = look when it is needed
};

struct DialOptions {
  Url url;
  TlsOptions tls;
  ProxySetting proxy;
  std::optional<Address> local;  // where to connect from; port 0 = any; nullopt = the system chooses
  double user_timeout = 0.0;     // TCP_USER_TIMEOUT in seconds; 0 = leave the system's
};

class Dial {
 public:
  using Done = std::function<void(std::unique_ptr<Stream>, std::optional<Failure>)>;  // one of the two

  Dial(Loop& loop, DialOptions options);
  ~Dial();  // aborts
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  /// `deadline`: monotonic_now() seconds. When it passes, the failure has phase `timeout` and says how far it came;
  /// only while still resolving it has phase `resolve` (or `proxy`, when that is whose name it is).
  void start(double deadline, Done done);
  void abort();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

/// Checks what can be checked before any attempt (files readable, PEM well-formed). Throws std::invalid_argument.
void check_tls(const TlsOptions& options);

/// Frees what the process holds for nothing else (cached TLS contexts). Called at exit only.
void forget_tls_contexts() noexcept;

/// In the child of a fork: the parent's contexts, and the sessions in them, are the parent's alone. They are leaked.
void forget_tls_contexts_after_fork() noexcept;

}  // namespace fastws::net
