// What the tests of net/ share: a loop on a thread of its own, real sockets on loopback, names that are looked up by the
// test, and dials and streams used from the test's thread as client/line uses them.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/dialer.hpp"
#include "net/loop.hpp"
#include "net/resolver.hpp"
#include "net/stream.hpp"
#include "net/url.hpp"

namespace fastws::net::testing {

inline void pause(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

inline bool becomes_true(const std::function<bool()>& condition, double within = 5.0) {
  const double until = monotonic_now() + within;
  while (!condition()) {
    if (monotonic_now() > until) return false;
    pause(0.002);
  }
  return true;
}

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

/// A loop that runs until the end of the test.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.run(); }) {}
  ~LoopThread() {
    loop_.stop();
    thread_.join();
  }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  [[nodiscard]] Loop& loop() noexcept { return loop_; }
  /// Runs `function` on the loop's thread and waits for it.
  void run(const std::function<void()>& function) {
    std::promise<void> ran;
    loop_.post([&] {
      function();
      ran.set_value();
    });
    ran.get_future().wait();
  }

 private:
  Loop loop_;
  std::thread thread_;
};

// --- Names and addresses ---------------------------------------------------------------------------------------------

inline Address address(const std::string& text) {
  Address made;
  auto* four = reinterpret_cast<sockaddr_in*>(&made.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&made.storage);
  if (::inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    made.size = sizeof *four;
  } else if (::inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    made.size = sizeof *six;
  } else {
    throw std::invalid_argument(text);
  }
  return made;
}

/// The test's own look-up, until the end of its scope.
class Names {
 public:
  explicit Names(LookUp look_up) { set_look_up(std::move(look_up)); }
  explicit Names(const std::vector<std::string>& texts) {
    Resolved resolved;
    for (const auto& text : texts) resolved.addresses.push_back(address(text));
    set_look_up([resolved](const std::string&) { return resolved; });
  }
  ~Names() { set_look_up(system_look_up()); }
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;
};

// --- Servers ---------------------------------------------------------------------------------------------------------

/// A listening socket; port 0 takes a free one.
class Listener {
 public:
  explicit Listener(const std::string& at = "127.0.0.1", std::uint16_t port = 0, int backlog = 64) {
    Address local = address(at);
    local.set_port(port);
    socket_ = ::socket(local.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int one = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&local.storage), local.size) != 0 ||
        ::listen(socket_, backlog) != 0) {
      ::close(socket_);
      throw std::runtime_error(std::string("can not listen: ") + std::strerror(errno));
    }
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&local.storage), &local.size);
    port_ = ntohs(local.family() == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&local.storage)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&local.storage)->sin_port);
    local_ = local;
  }
  ~Listener() {
    for (const int one : filling_) ::close(one);
    ::close(socket_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// The next connection, or -1 after stop() and when nobody comes.
  [[nodiscard]] int accept(int milliseconds = 20000) const {
    pollfd wanted{socket_, POLLIN, 0};
    if (::poll(&wanted, 1, milliseconds) <= 0) return -1;
    return ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
  }
  void stop() const { ::shutdown(socket_, SHUT_RDWR); }

  /// Fills its queue, so that whoever connects gets no answer at all. Made with backlog 0.
  void become_black_hole() {
    for (int count = 0; count < 4; ++count) {
      const int one = ::socket(local_.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      ::connect(one, reinterpret_cast<const sockaddr*>(&local_.storage), local_.size);
      filling_.push_back(one);
    }
    pause(0.05);
  }

 private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
  Address local_;
  std::vector<int> filling_;
};

/// A port of 127.0.0.1 where nobody listens.
inline std::uint16_t closed_port() { return Listener().port(); }

/// Runs a script with every connection, one after another, on a thread that SIGPIPE does not end.
class Server {
 public:
  using Script = std::function<void(int socket)>;

  explicit Server(Script script, const std::string& at = "127.0.0.1", std::uint16_t port = 0)
      : listener_(at, port), script_(std::move(script)), thread_([this] { serve(); }) {}
  ~Server() {
    listener_.stop();
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept { return listener_.port(); }
  [[nodiscard]] int served() const noexcept { return served_.load(); }

 private:
  void serve() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (;;) {
      const int socket = listener_.accept();
      if (socket < 0) return;
      ++served_;
      script_(socket);
      ::close(socket);
    }
  }

  Listener listener_;
  Script script_;
  std::atomic<int> served_{0};
  std::thread thread_;
};

/// Until the other side ends.
inline void read_to_end(int socket) {
  char bytes[4096];
  while (::recv(socket, bytes, sizeof bytes, 0) > 0) {
  }
}

// --- Dials and streams -----------------------------------------------------------------------------------------------

struct Outcome {
  std::shared_ptr<Stream> stream;  // dies on the loop's thread, wherever it is let go
  std::optional<Failure> failure;
  double seconds = 0.0;

  [[nodiscard]] Phase phase() const { return failure ? failure->phase : Phase::none; }
  [[nodiscard]] std::string message() const { return failure ? failure->message : ""; }
  [[nodiscard]] bool says(const std::string& words) const {
    return message().find(words) != std::string::npos;
  }
};

inline DialOptions to(const std::string& text) {
  DialOptions options;
  options.url = parse_url(text);
  return options;
}

inline DialOptions to(const std::string& scheme, const std::string& host, std::uint16_t port) {
  return to(scheme + "://" + host + ":" + std::to_string(port) + "/");
}

/// Dials, and waits for what comes of it.
inline Outcome dial(LoopThread& io, const DialOptions& options, double within = 10.0) {
  std::promise<void> settled;
  Outcome outcome;
  std::unique_ptr<Dial> dialing;
  const double began = monotonic_now();
  io.run([&] {
    dialing = std::make_unique<Dial>(io.loop(), options);
    dialing->start(began + within, [&](std::unique_ptr<Stream> stream, std::optional<Failure> failure) {
      outcome.seconds = monotonic_now() - began;
      outcome.failure = std::move(failure);
      if (stream) {
        outcome.stream.reset(stream.release(), [&io](Stream* mine) { io.run([mine] { delete mine; }); });
      }
      settled.set_value();
    });
  });
  settled.get_future().wait();
  io.run([&] { dialing.reset(); });
  return outcome;
}

/// Waits until the stream says it is ready; false = it did not within the time, and the wait is cancelled.
inline bool wait(LoopThread& io, Stream& stream, bool readable, double within = 20.0) {
  auto ready = std::make_shared<std::promise<void>>();
  auto future = ready->get_future();
  const auto tell = [ready] { ready->set_value(); };
  io.run([&] { readable ? stream.wait_readable(tell) : stream.wait_writable(tell); });
  if (future.wait_for(std::chrono::duration<double>(within)) == std::future_status::ready) return true;
  io.run([&] { stream.cancel_waits(); });
  return false;
}

struct Received {
  std::string bytes;
  Io io = Io::again;  // `again` = nothing came any more, `done` = as much as was wanted
};

/// Reads on the test's thread; the loop only waits.
inline Received receive(LoopThread& io, Stream& stream, std::size_t most, std::size_t step = 65536,
                        double within = 20.0) {
  Received received;
  std::string buffer(step, '\0');
  while (received.bytes.size() < most) {
    const Moved moved = stream.read(buffer.data(), std::min(step, most - received.bytes.size()));
    if (moved.io == Io::done) {
      received.bytes.append(buffer, 0, moved.size);
      continue;
    }
    received.io = moved.io;
    if (moved.io != Io::again || !wait(io, stream, !stream.read_wants_write(), within)) return received;
  }
  received.io = Io::done;
  return received;
}

/// Writes all of it; how often the stream said `again`, or -1 when it broke. `full` is told of the first time.
inline int transmit(LoopThread& io, Stream& stream, const std::string& bytes,
                    std::promise<void>* full = nullptr) {
  int times = 0;
  for (std::size_t head = 0; head < bytes.size();) {
    const Moved moved = stream.write(bytes.data() + head, bytes.size() - head);
    if (moved.io == Io::done) {
      head += moved.size;
      continue;
    }
    if (moved.io != Io::again) return -1;
    if (times++ == 0 && full != nullptr) full->set_value();
    if (!wait(io, stream, stream.write_wants_read())) return -1;
  }
  return times;
}

/// Bytes in which a lost, doubled or moved piece shows.
inline std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace fastws::net::testing
