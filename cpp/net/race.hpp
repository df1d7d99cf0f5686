// One TCP connection to whichever of a host's addresses takes it first (RFC 8305).
//
// May know: sockets, resolver's addresses, the loop. Included by this folder's .cpp files only. Promises: at most one
// descriptor comes out, once; destroying it ends all that is under way, and it may be destroyed by the function it calls.
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "descriptors.hpp"
#include "resolver.hpp"
#include "socket_stream.hpp"

namespace fastws::net {

class Race {
 public:
  /// The descriptor, or an empty one when no address took the connection.
  using Done = std::function<void(Descriptor)>;

  /// `local`: where to connect from (port 0 = any); nullopt = the system chooses. `user_timeout`: TCP_USER_TIMEOUT in
  /// seconds; 0 = leave the system's.
  Race(Loop& loop, const std::vector<Address>& addresses, const std::optional<Address>& local,
       double user_timeout);

  void start(Done done);
  /// The errors of the addresses that failed until now, in words; empty = none has.
  [[nodiscard]] std::string told() const;
  /// What to try, by the most telling of those errors. `peer`: "server" or "proxy".
  [[nodiscard]] std::string advice(const std::string& peer) const;

 private:
  struct Racer {
    Racer(Loop& loop, Descriptor made, std::string text)
        : socket(std::move(made)), readiness(loop, socket.get()), address(std::move(text)) {}
    Descriptor socket;
    Readiness readiness;
    std::string address;
  };

  void try_next();
  bool begin(const Address& address);
  [[nodiscard]] int bind_local(int socket, const Address& address) const;
  void settled(std::list<Racer>::iterator racer);
  void note(const std::string& address, int error);

  Loop& loop_;
  const std::optional<Address> local_;
  const double user_timeout_;
  const std::vector<Address> addresses_;
  Done done_;
  Timer stagger_;
  std::size_t next_ = 0;
  std::list<Racer> racing_;
  std::vector<int> errors_;  // of the addresses that failed, and the same in words
  std::string told_;
};

}  // namespace fastws::net
