// Addresses are tried one beside the other, a quarter of a second apart; the first connection wins.
#include "race.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace fastws::net {

namespace {

constexpr std::size_t most_told = 4;  // addresses whose errors a failure's sentence holds
constexpr double stagger =
    0.25;  // seconds before the next address is tried beside the last (RFC 8305 section 5)

/// Addresses of both families take turns, beginning with the family the resolver put first (RFC 8305 section 4).
std::vector<Address> interleaved(const std::vector<Address>& addresses) {
  std::vector<Address> first;
  std::vector<Address> second;
  for (const auto& address : addresses) {
    (address.family() == addresses.front().family() ? first : second).push_back(address);
  }
  std::vector<Address> ordered;
  for (std::size_t index = 0; index < std::max(first.size(), second.size()); ++index) {
    if (index < first.size()) ordered.push_back(first[index]);
    if (index < second.size()) ordered.push_back(second[index]);
  }
  return ordered;
}

void set_option(int socket, int level, int option, int value) {
  ::setsockopt(socket, level, option, &value, sizeof value);
}

void prepare(int socket, double user_timeout) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_USER_TIMEOUT
  if (user_timeout > 0.0) {
    set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT,
               static_cast<int>(std::min(user_timeout, 86400.0) * 1000.0));
  }
#endif
}

}  // namespace

Race::Race(Loop& loop, const std::vector<Address>& addresses, const std::optional<Address>& local,
           double user_timeout)
    : loop_(loop),
      local_(local),
      user_timeout_(user_timeout),
      addresses_(interleaved(addresses)),
      stagger_(loop) {}

void Race::start(Done done) {
  done_ = std::move(done);
  try_next();
}

std::string Race::told() const {
  if (errors_.size() <= most_told) return told_;
  return told_ + ", and " + std::to_string(errors_.size() - most_told) + " more";
}

std::string Race::advice(const std::string& peer) const {
  const auto has = [this](int error) {
    return std::find(errors_.begin(), errors_.end(), error) != errors_.end();
  };
  const bool in_files = !addresses_.empty() && addresses_.front().family() == AF_UNIX;
  if (in_files && has(ENOENT)) return "; is the " + peer + " running, and is the path right?";
  if (in_files && has(EACCES)) return "; may this user write to the socket?";
  if (in_files && has(EAGAIN)) return "; does the " + peer + " accept its connections?";
  if (has(EADDRNOTAVAIL) && local_)
    return "; is local_address an address of this machine, and its port free?";
  if (has(EADDRINUSE)) return "; is the port of local_address in use already?";
  if (has(EAFNOSUPPORT) && local_)
    return "; is local_address of the same family as the " + peer + "'s address?";
  if (has(ECONNREFUSED)) return "; is the " + peer + " running?";
  if (has(ETIMEDOUT)) return "; is the " + peer + " reachable, or does a firewall drop the packets?";
  if (has(EMFILE) || has(ENFILE)) return "; close files or raise their limit (ulimit -n)";
  if (has(EACCES) || has(EPERM)) return "; does a firewall of this machine forbid it?";
  if (has(ENETUNREACH) || has(EHOSTUNREACH) || has(ENETDOWN)) return "; is the network up?";
  return "";
}

void Race::note(const std::string& address, int error) {
  errors_.push_back(error);
  if (errors_.size() > most_told) return;
  told_ += (told_.empty() ? "" : ", ") + address + ": " + std::generic_category().message(error);
}

// The last thing that this and settled() do is to call done_, which may destroy the race.
void Race::try_next() {
  while (next_ < addresses_.size()) {
    const Address& address = addresses_[next_++];
    if (!begin(address)) continue;
    if (next_ < addresses_.size()) stagger_.at(monotonic_now() + stagger, [this] { try_next(); });
    return;
  }
  if (!racing_.empty()) return;
  const Done done = std::exchange(done_, nullptr);
  done(Descriptor());
}

/// The number of an error, or 0.
int Race::bind_local(int socket, const Address& address) const {
  if (!local_) return 0;
  if (local_->family() != address.family()) return EAFNOSUPPORT;
  const bool any_port = local_->port() == 0;
#ifdef IP_BIND_ADDRESS_NO_PORT
  // The port is chosen when connecting, so that connections to different servers may share one.
  if (any_port) set_option(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
#endif
  // A reconnect needs not wait until the system has forgotten the connection before.
  if (!any_port) set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&local_->storage), local_->size) == 0 ? 0 : errno;
}

bool Race::begin(const Address& address) {
  Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) {
    note(address.text(), errno);
    return false;
  }
  prepare(socket.get(), user_timeout_);
  if (const int error = bind_local(socket.get(), address); error != 0) {
    note(address.text(), error);
    return false;
  }
  const int result =
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  if (result != 0 && errno != EINPROGRESS) {
    note(address.text(), errno);
    return false;
  }
  try {
    racing_.emplace_back(loop_, std::move(socket), address.text());
  } catch (const std::system_error& error) {  // the system has no more room for descriptors that are watched
    note(address.text(), error.code().value());
    return false;
  }
  const auto racer = std::prev(racing_.end());
  racer->readiness.writable([this, racer] { settled(racer); });
  return true;
}

void Race::settled(std::list<Racer>::iterator racer) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(racer->socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0 && connected_to_itself(racer->socket.get())) error = ECONNREFUSED;  // nobody listens there
  if (error != 0) {
    note(racer->address, error);
    racing_.erase(racer);
    stagger_.cancel();
    try_next();  // at once: there is nothing to wait for
    return;
  }
  // The loop lets go of the descriptor before the stream takes it up.
  std::list<Racer> winner;
  winner.splice(winner.begin(), racing_, racer);
  racing_.clear();
  stagger_.cancel();
  Descriptor socket = std::move(winner.front().socket);
  winner.clear();
  const Done done = std::exchange(done_, nullptr);
  done(std::move(socket));
}

}  // namespace fastws::net
