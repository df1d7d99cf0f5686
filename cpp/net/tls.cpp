// One TLS session: the handshake in steps, then reads and writes whose every outcome becomes one of ours.
#include "tls.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <climits>
#include <stdexcept>
#include <utility>

#include "tls_context.hpp"
#include "tls_remedy.hpp"
#include "tls_sessions.hpp"

namespace fastws::net {

namespace {

// --- A BIO over a stream of ours -------------------------------------------------------------------------------------

/// The stream, and how the last read of it ended: OpenSSL does not hand that on in full.
struct Below {
  Stream* stream = nullptr;
  Moved last_read;
};

Below& below_of(BIO* bio) { return *static_cast<Below*>(BIO_get_data(bio)); }

int bio_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const Moved moved = below_of(bio).stream->write(data, static_cast<std::size_t>(size));
  if (moved.io == Io::done) return static_cast<int>(moved.size);
  if (moved.io == Io::again) BIO_set_retry_write(bio);
  return -1;
}

int bio_read(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const Moved moved = below_of(bio).stream->read(data, static_cast<std::size_t>(size));
  below_of(bio).last_read = moved;
  if (moved.io == Io::done) return static_cast<int>(moved.size);
  if (moved.io == Io::again) BIO_set_retry_read(bio);
  if (moved.io != Io::end) return -1;
  BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return 0;
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

BIO_METHOD* bio_method() {
  static BIO_METHOD* const made = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "fastws stream");
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
  }();
  return made;
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

/// The name to ask for and to find in the certificate: neither has a zone or the dot of the root (RFC 6066 section 3).
std::string name_of(const TlsOptions& options, const std::string& host) {
  std::string name = options.server_name.empty() ? host.substr(0, host.find('%')) : options.server_name;
  if (name.size() > 1 && name.back() == '.') name.pop_back();
  return name;
}

/// Called when the server asks for a certificate; what the context has is given.
int note_asked(SSL*, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 1;
}

}  // namespace

class TlsStream::Session {
 public:
  Session(const TlsOptions& options, Stream& stream, const std::string& host, const std::string& where) {
    below.stream = &stream;
    SSL_CTX* context = tls_context(options);
    ssl = SSL_new(context);
    SSL_CTX_free(context);
    BIO* bio = BIO_new(bio_method());
    if (ssl == nullptr || bio == nullptr) {
      SSL_free(ssl);
      BIO_free(bio);
      throw std::runtime_error("OpenSSL could not make a session");
    }
    BIO_set_data(bio, &below);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_connect_state(ssl);
    bool expects = false;  // a session that expects no name would take everybody's certificate
    if (is_address(host)) {
      expects = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
    } else {
      SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      expects =
          !host.empty() && SSL_set1_host(ssl, host.c_str()) == 1 &&
          SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;  // SNI is for names only (RFC 6066 section 3)
    }
    if (!expects) {
      SSL_free(ssl);
      ERR_clear_error();
      throw std::invalid_argument("server_name: a certificate can not be for \"" + host + "\"");
    }
    SSL_set_cert_cb(ssl, note_asked, &certificate_asked);
    offer_session(ssl, where + " as " + host);
  }
  ~Session() { SSL_free(ssl); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Below below;
  SSL* ssl = nullptr;
  bool certificate_asked = false;
};

TlsStream::TlsStream(std::unique_ptr<Stream> below, const TlsOptions& options, const std::string& host,
                     std::string where, Phase phase)
    : below_(std::move(below)), host_(name_of(options, host)), where_(std::move(where)), phase_(phase) {
  session_ = std::make_unique<Session>(options, *below_, host_, where_);
}

TlsStream::~TlsStream() { TlsStream::close(); }

bool TlsStream::needs_writable(bool stopped_writing) const {
  return stopped_writing ? !below_->write_wants_read() : below_->read_wants_write();
}

Io TlsStream::handshake() {
  ERR_clear_error();
  const int result = SSL_connect(session_->ssl);
  read_wants_write_ = false;
  if (result == 1) {
    renew_session(session_->ssl);
    pending_ = SSL_has_pending(session_->ssl) != 0;  // what came together with the last of the handshake
    return Io::done;
  }
  const int error = SSL_get_error(session_->ssl, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    read_wants_write_ = needs_writable(error == SSL_ERROR_WANT_WRITE);
    return Io::again;
  }
  broken_ = true;
  reason_number_ = ERR_GET_REASON(ERR_peek_error());
  const bool ended = reason_number_ == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (ended) reason_number_ = 0;
  reason_ = take_openssl_error();
  if (ended) reason_.clear();
  if (reason_.empty() && session_->below.last_read.io != Io::end) reason_ = below_->error();
  return Io::error;
}

std::string TlsStream::remedy(int reason) const {
  TlsTrouble trouble;
  trouble.reason = reason;
  trouble.silent = SSL_get_state(session_->ssl) == TLS_ST_CW_CLNT_HELLO;
  trouble.certificate_asked = session_->certificate_asked;
  trouble.certificate_given = SSL_get_certificate(session_->ssl) != nullptr;
  trouble.only_tls_1_3 = SSL_get_min_proto_version(session_->ssl) == TLS1_3_VERSION;
  trouble.proxy = phase_ == Phase::proxy;
  trouble.name = host_;
  return handshake_remedy(trouble);
}

Failure TlsStream::handshake_failure() const {
  Failure failure;
  failure.phase = phase_;
  const std::string who = phase_ == Phase::proxy ? "proxy" : "server";
  const long verdict = SSL_get_verify_result(session_->ssl);
  if (verdict != X509_V_OK && (SSL_get_verify_mode(session_->ssl) & SSL_VERIFY_PEER) != 0) {
    failure.definitive = true;
    failure.message = where_ + ": the " + who + "'s certificate was refused (" +
                      X509_verify_cert_error_string(verdict) + "); " +
                      certificate_remedy(verdict, host_, phase_ == Phase::proxy);
    return failure;
  }
  failure.message = where_ + ": the TLS handshake failed (" +
                    (reason_.empty() ? "the " + who + " ended the connection" : reason_) + ")" +
                    remedy(reason_number_);
  return failure;
}

Moved TlsStream::settle(int result, std::size_t size, bool reading) {
  if (result > 0) return {Io::done, size};
  switch (const int error = SSL_get_error(session_->ssl, result); error) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: {
      const bool writable = needs_writable(error == SSL_ERROR_WANT_WRITE);
      if (reading) {
        read_wants_write_ = writable;
      } else {
        write_wants_read_ = !writable;
      }
      return {Io::again, 0};
    }
    case SSL_ERROR_ZERO_RETURN: return {Io::end, 0};
    case SSL_ERROR_SYSCALL:
      broken_ = true;
      ERR_clear_error();
      if (reading && session_->below.last_read.io == Io::end) return {Io::end, 0};
      error_ = below_->error().empty() ? "the connection is broken" : below_->error();
      return {Io::error, 0};
    default: break;
  }
  broken_ = true;
  const int number = ERR_GET_REASON(ERR_peek_error());
  const bool truncated = number == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  const std::string reason = take_openssl_error();
  error_ = reason.empty() ? "the TLS session is broken" : reason;
  if (!truncated) forget_session(session_->ssl);
  if (!truncated && !heard_ && number > SSL_AD_REASON_OFFSET) {
    refusal_ = where_ + ": the server refused the TLS connection (" + reason + ")" + remedy(number);
  }
  return {reading && truncated ? Io::end : Io::error, 0};
}

Moved TlsStream::read(char* data, std::size_t size) {
  const Moved moved = read_records(data, size);
  // A session ticket makes OpenSSL get a buffer to write with, 16 KiB, which it would keep until something is written.
  // Given back at once it is the next connection's; what is in use stays.
  if (!pending_) SSL_free_buffers(session_->ssl);
  return moved;
}

Moved TlsStream::read_records(char* data, std::size_t size) {
  if (closed_) return {Io::error, 0};
  if (read_end_) return *read_end_;
  ERR_clear_error();
  read_wants_write_ = false;
  pending_ = false;
  std::size_t total = 0;
  // One record a call is what SSL_read gives; several records often came with one system call.
  while (total < size) {
    const int most = static_cast<int>(std::min<std::size_t>(size - total, INT_MAX));
    const int result = SSL_read(session_->ssl, data + total, most);
    if (result > 0) {
      total += static_cast<std::size_t>(result);
      heard_ = true;
      pending_ = SSL_has_pending(session_->ssl) != 0;
      if (!pending_) break;
      continue;
    }
    const Moved end = settle(result, 0, true);
    if (end.io != Io::again) read_end_ = end;
    if (total == 0) return end;
    pending_ = end.io != Io::again;  // what came first is handed on first
    break;
  }
  const Moved& last = session_->below.last_read;
  return {Io::done, total, pending_ || (last.io == Io::done && last.more)};
}

Moved TlsStream::write(const char* data, std::size_t size) {
  if (closed_ || broken_) return {Io::error, 0};
  ERR_clear_error();
  write_wants_read_ = false;
  const int result = SSL_write(session_->ssl, data, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
  return settle(result, result > 0 ? static_cast<std::size_t>(result) : 0, false);
}

void TlsStream::close() {
  if (std::exchange(closed_, true)) return;
  if (error_.empty()) error_ = "the stream is closed";
  if (!broken_ && SSL_is_init_finished(session_->ssl) == 1) {
    ERR_clear_error();
    SSL_shutdown(session_->ssl);  // close_notify, if it can be written at once; nobody waits for the answer
    ERR_clear_error();
  }
  below_->close();
}

void TlsStream::reset() {
  if (std::exchange(closed_, true)) return;
  if (error_.empty()) error_ = "the stream is closed";
  below_->reset();
}

std::string TlsStream::tls_version() const { return SSL_get_version(session_->ssl); }

}  // namespace fastws::net
