// A connected socket as a stream: what plain and TLS streams share, and the plain one.
//
// May know: Asio, sockets. Included by this folder's .cpp files only. Promises: the descriptor's number is not given back
// to the system before the loop has let go of it, so it can not be mistaken for a newer one.
#pragma once

#include <asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "descriptors.hpp"
#include "loop.hpp"
#include "stream.hpp"

namespace fastws::net {

/// A connection to a free port of this machine can meet itself: the system lends it that very port to come from.
bool connected_to_itself(int socket) noexcept;

/// Waits for readiness of one descriptor, on the loop's thread. Its functions may destroy it.
class Readiness {
 public:
  Readiness(Loop& loop, int descriptor);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  void readable(std::function<void()> function);
  void writable(std::function<void()> function);
  void cancel();

 private:
  struct Waits;
  void wait(asio::posix::stream_descriptor::wait_type kind, std::function<void()> function);

  std::shared_ptr<Waits> waits_;
};

class SocketStream : public Stream {
 public:
  SocketStream(Loop& loop, Descriptor socket);
  ~SocketStream() override;

  Moved read(char* data, std::size_t size) override;
  Moved write(const char* data, std::size_t size) override;
  [[nodiscard]] bool pending() const override { return false; }
  [[nodiscard]] bool read_wants_write() const override { return false; }
  [[nodiscard]] bool write_wants_read() const override { return false; }
  void close() override;
  void reset() override;
  [[nodiscard]] std::string error() const override { return error_; }
  [[nodiscard]] std::string tls_version() const override { return ""; }
  void wait_readable(std::function<void()> function) override { readiness_.readable(std::move(function)); }
  void wait_writable(std::function<void()> function) override { readiness_.writable(std::move(function)); }
  void cancel_waits() override { readiness_.cancel(); }

 protected:
  [[nodiscard]] int socket() const noexcept { return socket_.get(); }
  void fail(std::string why) { error_ = std::move(why); }
  [[nodiscard]] bool closed() const noexcept { return closed_; }

 private:
  Descriptor socket_;
  Readiness readiness_;
  std::string error_;
  bool closed_ = false;
};

}  // namespace fastws::net
