// One TLS session: the handshake in steps, then reads and writes whose every outcome becomes one of ours.
#include "tls.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <stdexcept>
#include <system_error>

#include "tls_context.hpp"
#include "tls_remedy.hpp"
#include "tls_sessions.hpp"

namespace fastws::net {

namespace {

// --- A BIO over a socket, with MSG_NOSIGNAL -------------------------------------------------------------------------

int socket_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

int bio_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t count = ::send(socket_of(bio), data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(count);
}

int bio_read(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t count = ::recv(socket_of(bio), data, static_cast<std::size_t>(size), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(count);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

BIO_METHOD* bio_method() {
  static BIO_METHOD* const made = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "fastws socket");
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

std::string words(int error) { return std::generic_category().message(error); }

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
  Session(const TlsOptions& options, int socket, const std::string& host, const std::string& where) {
    SSL_CTX* context = tls_context(options);
    ssl = SSL_new(context);
    SSL_CTX_free(context);
    BIO* bio = BIO_new(bio_method());
    if (ssl == nullptr || bio == nullptr) {
      SSL_free(ssl);
      BIO_free(bio);
      throw std::runtime_error("OpenSSL could not make a session");
    }
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
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

  SSL* ssl = nullptr;
  bool certificate_asked = false;
};

TlsStream::TlsStream(Loop& loop, Descriptor socket, const TlsOptions& options, const std::string& host,
                     std::string where)
    : SocketStream(loop, std::move(socket)), host_(name_of(options, host)), where_(std::move(where)) {
  session_ = std::make_unique<Session>(options, SocketStream::socket(), host_, where_);
}

TlsStream::~TlsStream() { TlsStream::close(); }

Io TlsStream::handshake() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_connect(session_->ssl);
  const int number = errno;
  read_wants_write_ = false;
  if (result == 1) {
    renew_session(session_->ssl);
    pending_ = SSL_has_pending(session_->ssl) != 0;  // what came together with the last of the handshake
    return Io::done;
  }
  const int error = SSL_get_error(session_->ssl, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    read_wants_write_ = error == SSL_ERROR_WANT_WRITE;
    return Io::again;
  }
  broken_ = true;
  reason_number_ = ERR_GET_REASON(ERR_peek_error());
  const bool ended = reason_number_ == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  if (ended) reason_number_ = 0;
  reason_ = take_openssl_error();
  if (reason_.empty() && number != 0) reason_ = words(number);
  if (reason_.empty() || ended) reason_ = "the server ended the connection";
  return Io::error;
}

std::string TlsStream::remedy(int reason) const {
  TlsTrouble trouble;
  trouble.reason = reason;
  trouble.silent = SSL_get_state(session_->ssl) == TLS_ST_CW_CLNT_HELLO;
  trouble.certificate_asked = session_->certificate_asked;
  trouble.certificate_given = SSL_get_certificate(session_->ssl) != nullptr;
  trouble.only_tls_1_3 = SSL_get_min_proto_version(session_->ssl) == TLS1_3_VERSION;
  trouble.name = host_;
  return handshake_remedy(trouble);
}

Failure TlsStream::handshake_failure() const {
  Failure failure;
  failure.phase = Phase::tls;
  const long verdict = SSL_get_verify_result(session_->ssl);
  if (verdict != X509_V_OK && (SSL_get_verify_mode(session_->ssl) & SSL_VERIFY_PEER) != 0) {
    failure.definitive = true;
    failure.message = where_ + ": the server's certificate was refused (" +
                      X509_verify_cert_error_string(verdict) + "); " + certificate_remedy(verdict, host_);
    return failure;
  }
  failure.message = where_ + ": the TLS handshake failed (" + reason_ + ")" + remedy(reason_number_);
  return failure;
}

Moved TlsStream::settle(int result, std::size_t size, bool reading) {
  if (result > 0) return {Io::done, size};
  const int system = errno;
  bool& wants_other = reading ? read_wants_write_ : write_wants_read_;
  switch (SSL_get_error(session_->ssl, result)) {
    case SSL_ERROR_WANT_READ: wants_other = !reading; return {Io::again, 0};
    case SSL_ERROR_WANT_WRITE: wants_other = reading; return {Io::again, 0};
    case SSL_ERROR_ZERO_RETURN: return {Io::end, 0};
    case SSL_ERROR_SYSCALL:
      broken_ = true;
      ERR_clear_error();
      if (reading && system == 0) return {Io::end, 0};
      fail(system != 0 ? words(system) : "the connection is broken");
      return {Io::error, 0};
    default: break;
  }
  broken_ = true;
  const int number = ERR_GET_REASON(ERR_peek_error());
  const bool truncated = number == SSL_R_UNEXPECTED_EOF_WHILE_READING;
  const std::string reason = take_openssl_error();
  fail(reason.empty() ? "the TLS session is broken" : reason);
  if (!truncated) forget_session(session_->ssl);
  if (!truncated && !heard_ && number > SSL_AD_REASON_OFFSET) {
    refusal_ = where_ + ": the server refused the TLS connection (" + reason + ")" + remedy(number);
  }
  return {reading && truncated ? Io::end : Io::error, 0};
}

Moved TlsStream::read(char* data, std::size_t size) {
  if (closed()) return {Io::error, 0};
  if (read_end_) return *read_end_;
  ERR_clear_error();
  errno = 0;
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
  return {Io::done, total};
}

Moved TlsStream::write(const char* data, std::size_t size) {
  if (closed() || broken_) return {Io::error, 0};
  ERR_clear_error();
  errno = 0;
  write_wants_read_ = false;
  const int result = SSL_write(session_->ssl, data, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
  return settle(result, result > 0 ? static_cast<std::size_t>(result) : 0, false);
}

void TlsStream::close() {
  if (closed()) return;
  if (!broken_ && SSL_is_init_finished(session_->ssl) == 1) {
    ERR_clear_error();
    SSL_shutdown(session_->ssl);  // close_notify, if it can be written at once; nobody waits for the answer
    ERR_clear_error();
  }
  SocketStream::close();
}

std::string TlsStream::tls_version() const { return SSL_get_version(session_->ssl); }

}  // namespace fastws::net
