// Making a context from options, and keeping it for the next connection that has the same.
#include "tls_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <tuple>

namespace fastws::net {

namespace {

using Key = std::tuple<std::string, std::string, std::string, std::string, std::string, std::string, bool, std::string>;

Key key_of(const TlsOptions& options) {
  return {options.ca_file,      options.ca_path, options.ca_data, options.cert_file, options.key_file,
          options.key_password, options.verify,  options.min_version};
}

struct Cache {
  std::mutex mutex;
  std::map<Key, SSL_CTX*> contexts;
};

Cache& cache() {
  static auto* made = new Cache;
  return *made;
}

[[noreturn]] void refuse(const std::string& argument, const std::string& why) {
  const std::string reason = take_openssl_error();
  throw std::invalid_argument(argument + ": " + why + (reason.empty() ? "" : " (" + reason + ")"));
}

void use_system_trust(SSL_CTX* context) {
  SSL_CTX_set_default_verify_paths(context);  // honours SSL_CERT_FILE and SSL_CERT_DIR
  if (::getenv(X509_get_default_cert_file_env()) != nullptr || ::getenv(X509_get_default_cert_dir_env()) != nullptr) {
    return;
  }
  if (::access(X509_get_default_cert_file(), R_OK) == 0 || ::access(X509_get_default_cert_dir(), R_OK) == 0) return;
  // An OpenSSL that was built elsewhere looks where nothing is: take the bundle of the system we run on.
  for (const char* bundle : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                             "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (::access(bundle, R_OK) == 0 && SSL_CTX_load_verify_locations(context, bundle, nullptr) == 1) break;
  }
  ERR_clear_error();
}

void trust_data(SSL_CTX* context, const std::string& pem) {
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  int count = 0;
  while (X509* certificate = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr)) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate);
    X509_free(certificate);
    ++count;
  }
  BIO_free(memory);
  ERR_clear_error();  // the end of the text is told as an error
  if (count == 0) refuse("ca_data", "it holds no certificate in PEM form");
}

int give_password(char* buffer, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  return static_cast<int>(text.copy(buffer, static_cast<std::size_t>(size)));
}

void use_own_certificate(SSL_CTX* context, const TlsOptions& options) {
  if (options.cert_file.empty()) {
    if (!options.key_file.empty()) refuse("key_file", "a key needs its certificate: give cert_file as well");
    return;
  }
  if (SSL_CTX_use_certificate_chain_file(context, options.cert_file.c_str()) != 1) {
    refuse("cert_file", "no certificate in PEM form can be read from " + options.cert_file);
  }
  const std::string& key = options.key_file.empty() ? options.cert_file : options.key_file;
  const char* argument = options.key_file.empty() ? "cert_file" : "key_file";
  std::string password = options.key_password;
  SSL_CTX_set_default_passwd_cb(context, give_password);
  SSL_CTX_set_default_passwd_cb_userdata(context, &password);
  const bool good = SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (!good) refuse(argument, "no private key in PEM form can be read from " + key + "; is key_password right?");
  if (SSL_CTX_check_private_key(context) != 1) refuse(argument, "the key does not belong to the certificate");
}

void fill(SSL_CTX* context, const TlsOptions& options) {
  int least = TLS1_2_VERSION;
  if (options.min_version == "1.3") least = TLS1_3_VERSION;
  if (!options.min_version.empty() && options.min_version != "1.2" && options.min_version != "1.3") {
    refuse("min_version", "it must be \"1.2\" or \"1.3\"");
  }
  SSL_CTX_set_min_proto_version(context, least);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_read_ahead(context, 1);  // one system call for many records
  SSL_CTX_set_verify(context, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!options.ca_file.empty() && SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1) {
    refuse("ca_file", "no certificate in PEM form can be read from " + options.ca_file);
  }
  if (!options.ca_path.empty()) {
    if (::access(options.ca_path.c_str(), R_OK) != 0) refuse("ca_path", "can not read " + options.ca_path);
    SSL_CTX_load_verify_dir(context, options.ca_path.c_str());
  }
  if (!options.ca_data.empty()) trust_data(context, options.ca_data);
  if (options.ca_file.empty() && options.ca_path.empty() && options.ca_data.empty()) use_system_trust(context);
  use_own_certificate(context, options);
}

}  // namespace

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "OpenSSL error " + std::to_string(code);
}

SSL_CTX* tls_context(const TlsOptions& options) {
  // OpenSSL's own clean-up at exit would race with threads that still use it.
  static const int initialised = OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, nullptr);
  (void)initialised;
  Cache& all = cache();
  const std::lock_guard<std::mutex> lock(all.mutex);
  SSL_CTX*& known = all.contexts[key_of(options)];
  if (known == nullptr) {
    ERR_clear_error();
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    if (context == nullptr) throw std::bad_alloc();
    try {
      fill(context, options);
    } catch (...) {
      SSL_CTX_free(context);
      all.contexts.erase(key_of(options));
      throw;
    }
    known = context;
  }
  SSL_CTX_up_ref(known);
  return known;
}

void check_tls(const TlsOptions& options) { SSL_CTX_free(tls_context(options)); }

void forget_tls_contexts() noexcept {
  Cache& all = cache();
  const std::lock_guard<std::mutex> lock(all.mutex);
  for (const auto& one : all.contexts) SSL_CTX_free(one.second);
  all.contexts.clear();
}

}  // namespace fastws::net
