// Certificates made on the spot with OpenSSL, and a real TLS server on loopback for the tests of net/.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "net_rig.hpp"

namespace fastws::net::testing {

struct Free {
  void operator()(EVP_PKEY* one) const { EVP_PKEY_free(one); }
  void operator()(X509* one) const { X509_free(one); }
  void operator()(X509_STORE_CTX* one) const { X509_STORE_CTX_free(one); }
  void operator()(SSL_SESSION* one) const { SSL_SESSION_free(one); }
  void operator()(BIO* one) const { BIO_free(one); }
  void operator()(SSL_CTX* one) const { SSL_CTX_free(one); }
  void operator()(SSL* one) const { SSL_free(one); }
};

template <class T>
using Owned = std::unique_ptr<T, Free>;

struct Asked {
  std::string name = "test";
  std::string alternatives;  // "DNS:localhost,IP:127.0.0.1"
  bool authority = false;
  long from = -3600;  // seconds from now
  long until = 3600;
};

/// A certificate with its key, signed by `issuer` or by itself.
class Certificate {
 public:
  explicit Certificate(const Asked& asked, const Certificate* issuer = nullptr)
      : key_(EVP_EC_gen("P-256")), x509_(X509_new()) {
    static long serial = 1000;
    X509_set_version(x509_.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509_.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x509_.get()), asked.from);
    X509_gmtime_adj(X509_getm_notAfter(x509_.get()), asked.until);
    X509_set_pubkey(x509_.get(), key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509_.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(asked.name.c_str()), -1, -1, 0);
    const Certificate& signer = issuer != nullptr ? *issuer : *this;
    X509_set_issuer_name(x509_.get(), X509_get_subject_name(signer.x509_.get()));
    extend(NID_basic_constraints, asked.authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!asked.alternatives.empty()) extend(NID_subject_alt_name, asked.alternatives);
    X509_sign(x509_.get(), signer.key_.get(), EVP_sha256());
  }

  [[nodiscard]] X509* x509() const { return x509_.get(); }
  [[nodiscard]] EVP_PKEY* key() const { return key_.get(); }
  [[nodiscard]] std::string pem() const {
    const Owned<BIO> memory(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(memory.get(), x509_.get());
    return text(memory.get());
  }
  [[nodiscard]] std::string key_pem(const std::string& password = "") const {
    const Owned<BIO> memory(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(memory.get(), key_.get(), password.empty() ? nullptr : EVP_aes_128_cbc(),
                                  password.empty() ? nullptr : password.c_str(),
                                  static_cast<int>(password.size()), nullptr, nullptr);
    return text(memory.get());
  }

 private:
  void extend(int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    X509_add_ext(x509_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  static std::string text(BIO* memory) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    return {data, static_cast<std::size_t>(size)};
  }

  Owned<EVP_PKEY> key_;
  Owned<X509> x509_;
};

/// An authority, and what it signs for this machine.
struct House {
  explicit House(const std::string& name = "test authority") : authority(Asked{name, "", true}) {}

  Certificate authority;
  Certificate server{Asked{"server", "DNS:localhost,DNS:*.good.test,IP:127.0.0.1,IP:::1"}, &authority};

  /// Options that trust this authority.
  [[nodiscard]] TlsOptions trusted() const {
    TlsOptions options;
    options.ca_data = authority.pem();
    return options;
  }
};

/// A file with this content, until the end of the scope.
class File {
 public:
  explicit File(const std::string& content) {
    std::string pattern = "/tmp/fastws-test-XXXXXX";
    const int descriptor = ::mkstemp(pattern.data());
    ::close(descriptor);
    path_ = pattern;
    std::ofstream(path_) << content;
  }
  ~File() { ::unlink(path_.c_str()); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// Shakes hands, then runs a script with the session; only SSL_shutdown in the script says goodbye.
class TlsServer {
 public:
  using Script = std::function<void(SSL* session, int socket)>;

  TlsServer(const Certificate& certificate, Script script, const std::string& at = "127.0.0.1",
            int most_version = 0, const Certificate* wanted_of_clients = nullptr,
            const std::function<void(SSL_CTX*)>& prepare = nullptr)
      : context_(SSL_CTX_new(TLS_server_method())), script_(std::move(script)) {
    SSL_CTX_use_certificate(context_.get(), certificate.x509());
    SSL_CTX_use_PrivateKey(context_.get(), certificate.key());
    SSL_CTX_set_max_proto_version(context_.get(), most_version);
    if (wanted_of_clients != nullptr) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), wanted_of_clients->x509());
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
    if (prepare) prepare(context_.get());
    server_ = std::make_unique<Server>([this](int socket) { serve(socket); }, at);
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return server_->port(); }
  /// The name that the last client asked for (SNI), or "(none)".
  [[nodiscard]] std::string asked_name() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return asked_name_;
  }

 private:
  void serve(int socket) {
    const Owned<SSL> session(SSL_new(context_.get()));
    SSL_set_fd(session.get(), socket);
    const bool shaken = SSL_accept(session.get()) == 1;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const char* name = SSL_get_servername(session.get(), TLSEXT_NAMETYPE_host_name);
      asked_name_ = name != nullptr ? name : "(none)";
    }
    if (shaken && script_) script_(session.get(), socket);
    ERR_clear_error();
  }

  Owned<SSL_CTX> context_;
  Script script_;
  mutable std::mutex mutex_;
  std::string asked_name_;
  std::unique_ptr<Server> server_;  // the last member: its thread uses the others
};

/// A script: sends back what it reads, until the end, then says goodbye.
inline void echo(SSL* session, int) {
  char bytes[16384];
  for (;;) {
    const int count = SSL_read(session, bytes, sizeof bytes);
    if (count <= 0) break;
    if (SSL_write(session, bytes, count) <= 0) return;
  }
  SSL_shutdown(session);
}

/// A script: reads until the end.
inline void swallow(SSL* session, int) {
  char bytes[16384];
  while (SSL_read(session, bytes, sizeof bytes) > 0) {
  }
}

}  // namespace fastws::net::testing
