// One dial: look the name up, race the addresses (RFC 8305), shake hands for TLS; the first stream wins.
#include "dialer.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <list>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include "resolver.hpp"
#include "socket_stream.hpp"
#include "tls.hpp"

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

/// What to try, by the most telling of the addresses' errors: the one that came nearest to the server.
const char* advice(const std::vector<int>& errors) {
  const auto has = [&errors](int error) {
    return std::find(errors.begin(), errors.end(), error) != errors.end();
  };
  if (has(ECONNREFUSED)) return "; is the server running?";
  if (has(ETIMEDOUT)) return "; is the server reachable, or does a firewall drop the packets?";
  if (has(EMFILE) || has(ENFILE)) return "; close files or raise their limit (ulimit -n)";
  if (has(EACCES) || has(EPERM)) return "; does a firewall of this machine forbid it?";
  if (has(ENETUNREACH) || has(EHOSTUNREACH) || has(ENETDOWN)) return "; is the network up?";
  return "";
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, seconds < 0.1 ? "%.2g s" : "%.1f s", seconds);
  return text;
}

}  // namespace

class Dial::Impl : public std::enable_shared_from_this<Dial::Impl> {
 public:
  Impl(Loop& loop, DialOptions options)
      : loop_(loop), options_(std::move(options)), deadline_(loop), stagger_(loop) {}

  void start(double deadline, Done done) {
    done_ = std::move(done);
    began_ = monotonic_now();
    deadline_.at(deadline, [this] { time_is_over(); });
    lookup_ = std::make_unique<Lookup>(loop_, options_.url.host,
                                       [this](const Resolved& result) { resolved(result); });
  }

  /// After this no function of ours runs any more: everything that could call one is gone or waits for nothing.
  void abort() {
    done_ = nullptr;
    deadline_.cancel();
    stagger_.cancel();
    lookup_.reset();
    racing_.clear();
    if (tls_) tls_->cancel_waits();
    tls_.reset();
  }

 private:
  struct Racer {
    Racer(Loop& loop, Descriptor made, std::string text)
        : socket(std::move(made)), readiness(loop, socket.get()), address(std::move(text)) {}
    Descriptor socket;
    Readiness readiness;
    std::string address;
  };

  [[nodiscard]] std::string where() const {
    const Url& url = options_.url;
    return (url.is_ipv6() ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
  }

  void finish(std::unique_ptr<Stream> stream, std::optional<Failure> failure) {
    const auto keep = shared_from_this();
    const Done done = std::exchange(done_, nullptr);
    abort();
    if (done) done(std::move(stream), std::move(failure));
  }

  void fail(Phase phase, std::string message) {
    Failure failure;
    failure.phase = phase;
    failure.message = std::move(message);
    finish(nullptr, std::move(failure));
  }

  void time_is_over() {
    const std::string within = " within " + seconds_text(monotonic_now() - began_);
    if (tls_) return fail(Phase::timeout, where() + ": the TLS handshake was not done" + within);
    if (!addresses_.empty()) {
      const std::string others = errors_.empty() ? "" : " (" + told() + ")";
      return fail(Phase::timeout, where() + ": no answer to connecting" + within + others +
                                      "; is the server reachable, or does a firewall drop the packets?");
    }
    fail(Phase::resolve, where() + ": the host's name was not resolved" + within + "; is the network up?");
  }

  void resolved(const Resolved& result) {
    if (result.addresses.empty()) {
      return fail(Phase::resolve, where() + ": the host's name can not be resolved (" + result.error +
                                      "); check the URL and the network");
    }
    addresses_ = interleaved(result.addresses);
    for (auto& address : addresses_) address.set_port(options_.url.port);
    try_next();
  }

  void try_next() {
    while (next_ < addresses_.size()) {
      const Address& address = addresses_[next_++];
      if (!begin(address)) continue;
      if (next_ < addresses_.size()) stagger_.at(monotonic_now() + stagger, [this] { try_next(); });
      return;
    }
    if (racing_.empty()) fail(Phase::tcp, where() + ": can not connect (" + told() + ")" + advice(errors_));
  }

  void note(const std::string& address, int error) {
    errors_.push_back(error);
    if (errors_.size() > most_told) return;
    told_ += (told_.empty() ? "" : ", ") + address + ": " + std::generic_category().message(error);
  }
  [[nodiscard]] std::string told() const {
    if (errors_.size() <= most_told) return told_;
    return told_ + ", and " + std::to_string(errors_.size() - most_told) + " more";
  }

  bool begin(const Address& address) {
    Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) {
      note(address.text(), errno);
      return false;
    }
    prepare(socket.get(), options_.user_timeout);
    const int result =
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size);
    if (result != 0 && errno != EINPROGRESS) {
      note(address.text(), errno);
      return false;
    }
    try {
      racing_.emplace_back(loop_, std::move(socket), address.text());
    } catch (
        const std::system_error& error) {  // the system has no more room for descriptors that are watched
      note(address.text(), error.code().value());
      return false;
    }
    const auto racer = std::prev(racing_.end());
    racer->readiness.writable([this, racer] { settled(racer); });
    return true;
  }

  void settled(std::list<Racer>::iterator racer) {
    const auto keep = shared_from_this();
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
    connected(std::move(socket));
  }

  void connected(Descriptor socket) {
    std::unique_ptr<Stream> plain;
    std::optional<Failure> failure;
    try {
      if (options_.url.secure) {
        tls_ =
            std::make_unique<TlsStream>(loop_, std::move(socket), options_.tls, options_.url.host, where());
      } else {
        plain = std::make_unique<SocketStream>(loop_, std::move(socket));
      }
    } catch (const std::exception& error) {
      failure.emplace();
      failure->phase = options_.url.secure ? Phase::tls : Phase::tcp;
      failure->definitive = dynamic_cast<const std::invalid_argument*>(&error) != nullptr;  // of the options
      failure->message = where() + ": " + error.what();
    }
    if (tls_) return shake_hands();
    finish(std::move(plain), std::move(failure));
  }

  void shake_hands() {
    const auto keep = shared_from_this();
    switch (tls_->handshake()) {
      case Io::done: {
        std::unique_ptr<Stream> stream = std::move(tls_);
        finish(std::move(stream), std::nullopt);
        break;
      }
      case Io::again:
        if (tls_->read_wants_write()) {
          tls_->wait_writable([this] { shake_hands(); });
        } else {
          tls_->wait_readable([this] { shake_hands(); });
        }
        break;
      default: finish(nullptr, tls_->handshake_failure()); break;
    }
  }

  Loop& loop_;
  const DialOptions options_;
  Done done_;
  double began_ = 0.0;
  Timer deadline_;
  Timer stagger_;
  std::unique_ptr<Lookup> lookup_;
  std::vector<Address> addresses_;
  std::size_t next_ = 0;
  std::list<Racer> racing_;
  std::vector<int> errors_;  // of the addresses that failed, and the same in words
  std::string told_;
  std::unique_ptr<TlsStream> tls_;
};

Dial::Dial(Loop& loop, DialOptions options) : impl_(std::make_shared<Impl>(loop, std::move(options))) {}
Dial::~Dial() { impl_->abort(); }
void Dial::start(double deadline, Done done) { impl_->start(deadline, std::move(done)); }
void Dial::abort() { impl_->abort(); }

}  // namespace fastws::net
