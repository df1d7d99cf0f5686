// TLS on a stream, be it a socket's or again TLS (a wss server behind an https proxy): verified by default, by name.
//
// May know: OpenSSL. Included by this folder's .cpp files only. Promises: equal options share one SSL_CTX; the
// certificate's chain and the host's name are checked unless the user said verify=False; nothing blocks.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "../error.hpp"
#include "dialer.hpp"
#include "stream.hpp"

namespace fastws::net {

class TlsStream final : public Stream {
 public:
  /// Throws std::invalid_argument when the options can not be used, std::runtime_error when OpenSSL gives up. `where`: the
  /// host and port at the other end, for sentences and to know its sessions by. `phase`: `proxy` when a proxy is there.
  TlsStream(std::unique_ptr<Stream> below, const TlsOptions& options, const std::string& host,
            std::string where, Phase phase = Phase::tls);
  ~TlsStream() override;

  /// One step of the handshake: done, again (then read_wants_write() says what to wait for), or error.
  Io handshake();
  /// Why the handshake failed: what OpenSSL said, and what to try.
  [[nodiscard]] Failure handshake_failure() const;

  Moved read(char* data, std::size_t size) override;
  Moved write(const char* data, std::size_t size) override;
  /// One record (RFC 8446 section 5.1).
  [[nodiscard]] std::size_t write_size() const override { return std::size_t{1} << 14; }
  [[nodiscard]] bool pending() const override { return !closed_ && (pending_ || below_->pending()); }
  [[nodiscard]] bool read_wants_write() const override { return read_wants_write_; }
  [[nodiscard]] bool write_wants_read() const override { return write_wants_read_; }
  void close() override;
  void reset() override;
  [[nodiscard]] std::string error() const override { return error_; }
  [[nodiscard]] std::string tls_version() const override;
  [[nodiscard]] std::string refusal() const override { return refusal_; }
  void wait_readable(std::function<void()> function) override { below_->wait_readable(std::move(function)); }
  void wait_writable(std::function<void()> function) override { below_->wait_writable(std::move(function)); }
  void cancel_waits() override { below_->cancel_waits(); }

 private:
  class Session;
  Moved read_records(char* data, std::size_t size);
  Moved settle(int result, std::size_t size, bool reading);
  /// Whether what stopped an operation needs the socket writable: the stream below may itself need the reverse.
  [[nodiscard]] bool needs_writable(bool stopped_writing) const;
  [[nodiscard]] std::string remedy(int reason) const;

  std::unique_ptr<Stream> below_;
  std::unique_ptr<Session> session_;  // uses the stream below
  std::string host_;                  // the name that the certificate must be for
  std::string where_;
  Phase phase_;
  std::string error_;
  std::string reason_;     // OpenSSL's, of a failed handshake
  int reason_number_ = 0;  // the same as a number; 0 = the stream ended or broke
  std::string refusal_;    // the server's alert in place of its first bytes
  bool heard_ = false;     // something was read after the handshake
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
  bool closed_ = false;
  bool broken_ = false;            // after a fatal error SSL_shutdown must not be called
  bool pending_ = false;           // the last read stopped with more inside
  std::optional<Moved> read_end_;  // the end or error of reading: the answer to every later read
};

}  // namespace fastws::net
