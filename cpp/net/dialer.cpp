// One dial: look the name up, race the addresses, go through the proxy, shake hands for TLS.
#include "dialer.hpp"

#include <cstdio>
#include <stdexcept>
#include <utility>
#include <vector>

#include "race.hpp"
#include "resolver.hpp"
#include "socket_stream.hpp"
#include "tls.hpp"
#include "tunnel.hpp"

namespace fastws::net {

namespace {

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, seconds < 0.1 ? "%.2g s" : "%.1f s", seconds);
  return text;
}

/// What of the user's TLS options is meant for the proxy too: whom to trust, and how much. Our own certificate and the
/// name to expect are for the server alone.
TlsOptions for_proxy(TlsOptions options) {
  options.cert_file.clear();
  options.key_file.clear();
  options.key_password.clear();
  options.server_name.clear();
  return options;
}

}  // namespace

/// Every path goes: resolve, race, [TLS to the proxy], [tunnel], [TLS to the server], finish. `hop` is whom the socket
/// connects to: the proxy, or the server itself.
class Dial::Impl : public std::enable_shared_from_this<Dial::Impl> {
 public:
  Impl(Loop& loop, DialOptions options) : loop_(loop), options_(std::move(options)), deadline_(loop) {}

  void start(double deadline, Done done) {
    done_ = std::move(done);
    began_ = monotonic_now();
    try {
      proxy_ = options_.proxy.choose(options_.url);
    } catch (const std::invalid_argument& error) {
      // Of the environment and a URL that came later than the client. Nobody is called back while still in start().
      deadline_.at(began_, [this, why = std::string(error.what())] { fail(Phase::proxy, why, true); });
      return;
    }
    deadline_.at(deadline, [this] { time_is_over(); });
    if (!options_.url.unix_path.empty()) {
      addresses_ = {unix_address(options_.url.unix_path)};
      loop_.post([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && self->done_) self->connect();
      });
      return;
    }
    if (proxy_ && !proxy_->resolves_names) {
      look_up(options_.url.host, [this](const Resolved& result) { server_resolved(result); });
    } else {
      targets_.push_back(options_.url.host);
      look_up_hop();
    }
  }

  /// After this no function of ours runs any more: everything that could call one is gone or waits for nothing.
  void abort() {
    done_ = nullptr;
    deadline_.cancel();
    lookup_.reset();
    race_.reset();
    if (stream_) stream_->cancel_waits();
    if (tls_) tls_->cancel_waits();
    stream_.reset();
    tls_.reset();
    tunnel_.reset();
  }

 private:
  [[nodiscard]] std::string server() const {
    const Url& url = options_.url;
    return url.unix_path.empty() ? host_and_port(url.host, url.port) : url.unix_path;
  }
  [[nodiscard]] std::string hop() const { return proxy_ ? "proxy " + proxy_->where() : server(); }
  /// The phase of what fails on the way to the hop.
  [[nodiscard]] Phase hop_phase(Phase direct) const { return proxy_ ? Phase::proxy : direct; }
  [[nodiscard]] const char* peer() const { return proxy_ ? "proxy" : "server"; }

  void finish(std::unique_ptr<Stream> stream, std::optional<Failure> failure) {
    const auto keep = shared_from_this();
    const Done done = std::exchange(done_, nullptr);
    abort();
    if (done) done(std::move(stream), std::move(failure));
  }

  void fail(Phase phase, std::string message, bool definitive = false) {
    Failure failure;
    failure.phase = phase;
    failure.message = std::move(message);
    failure.definitive = definitive;
    finish(nullptr, std::move(failure));
  }

  void time_is_over() {
    const std::string within = " within " + seconds_text(monotonic_now() - began_);
    if (tls_) {
      const std::string where = tls_to_proxy_ ? hop() : server();
      return fail(Phase::timeout, where + ": the TLS handshake was not done" + within);
    }
    if (tunnel_) {
      return fail(Phase::timeout, hop() + ": no tunnel to " + server() + within +
                                      "; is it such a proxy, and is the server running?");
    }
    if (race_) {
      const std::string others = race_->told().empty() ? "" : " (" + race_->told() + ")";
      return fail(Phase::timeout, hop() + ": no answer to connecting" + within + others + "; is the " +
                                      peer() + " reachable, or does a firewall drop the packets?");
    }
    const bool for_hop = !targets_.empty();
    fail(for_hop ? hop_phase(Phase::resolve) : Phase::resolve, (for_hop ? hop() : server()) +
                                                                   ": the host's name was not resolved" +
                                                                   within + "; is the network up?");
  }

  // --- Names and addresses -------------------------------------------------------------------------------------------

  void look_up(const std::string& host, Lookup::Done done) {
    lookup_ = std::make_unique<Lookup>(loop_, host, std::move(done));
  }

  /// Only for socks5://, whose proxy is given addresses.
  void server_resolved(const Resolved& result) {
    if (result.addresses.empty()) {
      return fail(Phase::resolve,
                  server() + ": the host's name can not be resolved (" + result.error +
                      "); check the URL and the network, or let the proxy do it (socks5h://)");
    }
    for (const auto& address : result.addresses) targets_.push_back(address.text());
    look_up_hop();
  }

  void look_up_hop() {
    look_up(proxy_ ? proxy_->host : options_.url.host,
            [this](const Resolved& result) { hop_resolved(result); });
  }

  void hop_resolved(const Resolved& result) {
    if (result.addresses.empty()) {
      return fail(hop_phase(Phase::resolve), hop() + ": the host's name can not be resolved (" +
                                                 result.error + "); check the " + (proxy_ ? "proxy's " : "") +
                                                 "URL and the network");
    }
    addresses_ = result.addresses;
    for (auto& address : addresses_) {
      address.set_port(proxy_ ? proxy_->port : options_.url.port);
    }
    connect();
  }

  void connect() {
    race_ = std::make_unique<Race>(loop_, addresses_, options_.local, options_.user_timeout);
    race_->start([this](Descriptor socket) { raced(std::move(socket)); });
  }

  void raced(Descriptor socket) {
    const auto keep = shared_from_this();
    if (!socket) {
      return fail(hop_phase(Phase::tcp),
                  hop() + ": can not connect (" + race_->told() + ")" + race_->advice(peer()));
    }
    race_.reset();
    try {
      stream_ = std::make_unique<SocketStream>(loop_, std::move(socket));
    } catch (const std::exception& error) {
      return fail(hop_phase(Phase::tcp), hop() + ": " + error.what());
    }
    if (!proxy_) return tunnelled();
    if (!proxy_->secure) return open_tunnel();
    begin_tls(for_proxy(options_.tls), proxy_->host, true);
  }

  // --- The proxy -----------------------------------------------------------------------------------------------------

  void open_tunnel() {
    tunnel_ = make_tunnel(*proxy_, Target{targets_[next_target_++], options_.url.port});
    converse();
  }

  /// Writes what the tunnel wants to say, then reads until it is content or wants to say more.
  void converse() {
    const auto keep = shared_from_this();
    for (;;) {
      std::string& output = tunnel_->output();
      const bool writing = !output.empty();
      char bytes[4096];
      const Moved moved =
          writing ? stream_->write(output.data(), output.size()) : stream_->read(bytes, sizeof bytes);
      switch (moved.io) {
        case Io::done: break;
        case Io::again:
          return wait(*stream_, writing ? !stream_->write_wants_read() : stream_->read_wants_write(),
                      [this] { converse(); });
        case Io::end:
          return fail(Phase::proxy, hop() + ": it ended the connection before it had opened a tunnel to " +
                                        server() + "; is it such a proxy, and is the port right?");
        case Io::error:
          return fail(Phase::proxy, hop() + ": the connection broke before there was a tunnel to " +
                                        server() + " (" + stream_->error() + ")");
      }
      if (writing) {
        output.erase(0, moved.size);
        continue;
      }
      switch (tunnel_->feed(std::string_view(bytes, moved.size))) {
        case Tunnel::Step::more: break;
        case Tunnel::Step::done: return tunnelled();
        case Tunnel::Step::failed: return refused();
      }
    }
  }

  void refused() {
    if (!tunnel_->another_address_may_do() || next_target_ >= targets_.size()) {
      return finish(nullptr, tunnel_->failure());
    }
    tunnel_.reset();
    stream_.reset();
    connect();
  }

  // --- TLS -----------------------------------------------------------------------------------------------------------

  void tunnelled() {
    tunnel_.reset();
    if (!options_.url.secure) return finish(std::move(stream_), std::nullopt);
    begin_tls(options_.tls, options_.url.host, false);
  }

  void begin_tls(const TlsOptions& options, const std::string& host, bool to_proxy) {
    tls_to_proxy_ = to_proxy;
    try {
      tls_ = std::make_unique<TlsStream>(std::move(stream_), options, host, to_proxy ? hop() : server(),
                                         to_proxy ? Phase::proxy : Phase::tls);
    } catch (const std::exception& error) {
      const bool of_the_options = dynamic_cast<const std::invalid_argument*>(&error) != nullptr;
      return fail(to_proxy ? Phase::proxy : Phase::tls, (to_proxy ? hop() : server()) + ": " + error.what(),
                  of_the_options);
    }
    shake_hands();
  }

  void shake_hands() {
    const auto keep = shared_from_this();
    switch (tls_->handshake()) {
      case Io::done:
        if (!tls_to_proxy_) return finish(std::move(tls_), std::nullopt);
        stream_ = std::move(tls_);
        open_tunnel();
        break;
      case Io::again: wait(*tls_, tls_->read_wants_write(), [this] { shake_hands(); }); break;
      default: finish(nullptr, tls_->handshake_failure()); break;
    }
  }

  static void wait(Stream& stream, bool writable, std::function<void()> function) {
    writable ? stream.wait_writable(std::move(function)) : stream.wait_readable(std::move(function));
  }

  Loop& loop_;
  const DialOptions options_;
  std::optional<Proxy> proxy_;
  Done done_;
  double began_ = 0.0;
  Timer deadline_;
  std::unique_ptr<Lookup> lookup_;
  std::vector<std::string>
      targets_;  // what the proxy may be given as the server's host; empty = not known yet
  std::size_t next_target_ = 0;
  std::vector<Address> addresses_;  // of the hop
  std::unique_ptr<Race> race_;
  std::unique_ptr<Stream> stream_;  // what is reached so far, while no TLS handshake has it
  std::unique_ptr<Tunnel> tunnel_;  // while it is being opened
  std::unique_ptr<TlsStream> tls_;  // while its handshake runs
  bool tls_to_proxy_ = false;
};

Dial::Dial(Loop& loop, DialOptions options) : impl_(std::make_shared<Impl>(loop, std::move(options))) {}
Dial::~Dial() { impl_->abort(); }
void Dial::start(double deadline, Done done) { impl_->start(deadline, std::move(done)); }
void Dial::abort() { impl_->abort(); }

}  // namespace fastws::net
