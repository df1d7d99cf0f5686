// Host names to addresses, by getaddrinfo on detached threads of ours that nobody ever waits for.
//
// May know: the loop. Promises (reconnect-spec R18): an attempt joins a running lookup of its host only if that is younger
// than 1 s or two already run; at most 2 run per host and 16 in all, beyond that it waits for a free place. A lookup whose
// handle is gone calls nobody. getaddrinfo can not be cancelled, so a hanging one is abandoned.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "loop.hpp"

namespace fastws::net {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  [[nodiscard]] int family() const noexcept { return storage.ss_family; }
  [[nodiscard]] std::string text() const;  // "127.0.0.1", "::1", "/path/of/a/socket"
  [[nodiscard]] std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;
};

/// Of a socket in the file system. The path must fit (Url sees to it).
Address unix_address(const std::string& path);
/// Of an IP address in letters ("127.0.0.1", "fe80::1%eth0"). Throws std::invalid_argument when it is none.
Address literal_address(const std::string& text);

struct Resolved {
  std::vector<Address> addresses;
  std::string error;  // why there are none
};

/// One who waits for a host's addresses. Destroying it ends the interest.
class Lookup {
 public:
  using Done = std::function<void(const Resolved&)>;

  /// `done` is called once, on the loop's thread.
  Lookup(Loop& loop, const std::string& host, Done done);
  ~Lookup();
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  struct Waiter;

 private:
  std::shared_ptr<Waiter> waiter_;
};

/// What runs on the threads; tests put a slow or a wrong one in its place. Must be callable from any thread.
using LookUp = std::function<Resolved(const std::string& host)>;
void set_look_up(LookUp look_up);
LookUp system_look_up();

/// In the child of a fork: the parent's lookups do not exist here.
void forget_lookups_after_fork() noexcept;

}  // namespace fastws::net
