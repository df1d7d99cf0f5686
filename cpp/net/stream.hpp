// A byte stream to the server, plain or TLS, that never blocks.
//
// May know: sockets, OpenSSL (in its .cpp). Promises: read(), write() and close() may be called from any thread as long
// as the caller serialises them (client/line's `wire` lock); wait_*() and cancel_waits() belong to the loop's thread.
// SIGPIPE is never raised. Nothing throws.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>

namespace fastws::net {

enum class Io : unsigned char {
  done,   // `size` bytes moved (more than none)
  again,  // nothing can move now
  end,    // the peer shut the stream in order (for TLS: a truncation counts as an end too)
  error,  // broken; error() says why
};

struct Moved {
  Io io = Io::again;
  std::size_t size = 0;
  bool more =
      true;  // of a read that is done: false = it had all that was there, and waiting may follow at once
};

class Stream {
 public:
  virtual ~Stream() = default;
  virtual Moved read(char* data, std::size_t size) = 0;
  /// After `again` the next write must begin with the same bytes, and offer no fewer (TLS has a record of them under way).
  virtual Moved write(const char* data, std::size_t size) = 0;
  /// The most that one write takes: less than that and than was offered means that the socket takes no more now.
  [[nodiscard]] virtual std::size_t write_size() const { return std::numeric_limits<std::size_t>::max(); }
  /// Bytes, or the end, are waiting inside, where the socket does not tell: read once more before waiting for it. A caller
  /// who waits only after `again` or the end of what was there need not ask, but before the first read.
  [[nodiscard]] virtual bool pending() const = 0;
  /// After read() said `again`: TLS needs the socket writable before it can go on reading (and the reverse).
  [[nodiscard]] virtual bool read_wants_write() const = 0;
  [[nodiscard]] virtual bool write_wants_read() const = 0;
  /// Says goodbye if that needs no waiting (TLS close_notify), then ends the sending side: the peer reads an end. Nothing
  /// more is read or written. The descriptor's number is given back by the destructor, on the loop's thread, so that no
  /// wait can meet a newer descriptor of the same number. More calls do nothing.
  virtual void close() = 0;
  /// Like close(), but without goodbye: the peer sees a reset rather than an end.
  virtual void reset() = 0;
  [[nodiscard]] virtual std::string error() const = 0;
  [[nodiscard]] virtual std::string tls_version() const = 0;  // empty = not TLS
  /// Why the server refused us over TLS before its first byte, as a whole sentence: TLS 1.3 judges the client's certificate
  /// only when the client is done with the handshake. Empty = it did not.
  [[nodiscard]] virtual std::string refusal() const { return ""; }

  /// Calls back once, on the loop's thread, when the socket is readable / writable. One wait of each kind at a time.
  virtual void wait_readable(std::function<void()> function) = 0;
  virtual void wait_writable(std::function<void()> function) = 0;
  /// Their functions are not called any more.
  virtual void cancel_waits() = 0;
};

/// In the child of a fork: closes every descriptor this process's streams and dials hold, and nothing else
/// (no shutdown, no close_notify). Async-signal-safe in spirit: takes no lock.
void close_descriptors_after_fork() noexcept;

}  // namespace fastws::net
