// Making a context from options, and keeping it for the next connection that has the same.
#include "tls_context.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509err.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "descriptors.hpp"
#include "tls_sessions.hpp"

namespace fastws::net {

namespace {

using Key = std::tuple<std::string, std::string, std::string, std::string, std::string, std::string, bool,
                       std::string, std::vector<std::string>, std::string,
                       std::optional<std::pair<std::string, std::string>>>;

Key key_of(const TlsOptions& options) {
  std::optional<std::pair<std::string, std::string>> trust;  // "none was found" is not "none was looked for"
  if (options.trust) trust.emplace(options.trust->file, options.trust->folder);
  return {options.ca_file,
          options.ca_path,
          options.ca_data,
          options.cert_file,
          options.key_file,
          options.key_password,
          options.verify,
          options.min_version,
          options.alpn,
          options.keylog_file,
          trust};
}

constexpr std::size_t read_buffer = std::size_t{64} << 10;

struct Cache {
  std::mutex mutex;
  std::map<Key, SSL_CTX*> contexts;
};

std::atomic<Cache*> the_cache{new Cache};

Cache& cache() { return *the_cache.load(); }

[[noreturn]] void refuse(const std::string& argument, const std::string& why) {
  const std::string reason = take_openssl_error();
  throw std::invalid_argument(argument + ": " + why + (reason.empty() ? "" : " (" + reason + ")"));
}

/// Why a file gives no such thing: the system does not let us read it, or it holds none.
[[noreturn]] void refuse_file(const std::string& argument, const std::string& what, const std::string& path) {
  const bool unread = ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_SYS;
  refuse(argument,
         unread ? path + " can not be read" : "no " + what + " in PEM form can be read from " + path);
}

void use_system_trust(SSL_CTX* context, const std::optional<Trust>& known) {
  const Trust trust = known ? *known : find_trust(this_system());
  if (trust.empty()) throw std::invalid_argument("tls: " + no_trust_found());
  if (!trust.file.empty() && SSL_CTX_load_verify_file(context, trust.file.c_str()) != 1) {
    refuse("tls", "the system's certificate authorities can not be read from " + trust.file);
  }
  if (!trust.folder.empty()) SSL_CTX_load_verify_dir(context, trust.folder.c_str());
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
  const unsigned long last = ERR_peek_last_error();  // the end of the text is told as an error, too
  if (count == 0 || ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
    refuse("ca_data",
           count == 0 ? "it holds no certificate in PEM form" : "not all of it are certificates in PEM form");
  }
  ERR_clear_error();
}

struct Password {
  const std::string& text;
  bool asked = false;
};

int give_password(char* buffer, int size, int, void* user) {
  auto& password = *static_cast<Password*>(user);
  password.asked = true;
  return static_cast<int>(password.text.copy(buffer, static_cast<std::size_t>(size)));
}

[[noreturn]] void refuse_key(const TlsOptions& options, const Password& password, const std::string& file) {
  const unsigned long code = ERR_peek_last_error();
  if (ERR_GET_LIB(code) == ERR_LIB_X509 && ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH) {
    refuse(options.key_file.empty() ? "cert_file" : "key_file", "the key does not belong to the certificate");
  }
  if (password.asked) {
    refuse("key_password", password.text.empty() ? "the key in " + file + " is encrypted and needs one"
                                                 : "it does not open the key in " + file);
  }
  refuse_file(options.key_file.empty() ? "cert_file" : "key_file", "private key", file);
}

void use_own_certificate(SSL_CTX* context, const TlsOptions& options) {
  if (options.cert_file.empty()) {
    if (!options.key_file.empty()) refuse("key_file", "a key needs its certificate: give cert_file as well");
    return;
  }
  const std::string& key = options.key_file.empty() ? options.cert_file : options.key_file;
  Password password{options.key_password};
  SSL_CTX_set_default_passwd_cb(context, give_password);  // OpenSSL's own would ask on the terminal
  SSL_CTX_set_default_passwd_cb_userdata(context, &password);
  if (SSL_CTX_use_certificate_chain_file(context, options.cert_file.c_str()) != 1) {
    refuse_file("cert_file", "certificate", options.cert_file);
  }
  password.asked = false;
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    refuse_key(options, password, key);
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  if (SSL_CTX_check_private_key(context) != 1) {
    refuse(options.key_file.empty() ? "cert_file" : "key_file", "the key does not belong to the certificate");
  }
}

/// One length and one name after another (RFC 7301 section 3.1).
void offer_protocols(SSL_CTX* context, const std::vector<std::string>& names) {
  std::vector<unsigned char> list;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > 255) refuse("alpn", "a protocol's name has 1 to 255 bytes");
    list.push_back(static_cast<unsigned char>(name.size()));
    list.insert(list.end(), name.begin(), name.end());
  }
  if (list.empty()) return;
  if (SSL_CTX_set_alpn_protos(context, list.data(), static_cast<unsigned>(list.size())) != 0) {
    refuse("alpn", "it can not be offered");
  }
}

void free_path(void*, void* path, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::string*>(path);
}

int keylog_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_path);
  return index;
}

/// The file is opened anew for every line: few are written, it may be moved away meanwhile, and nothing is left to a fork.
Descriptor open_keylog(const std::string& path) {
  return Descriptor(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
}

void write_key(const SSL* connection, const char* line) {
  const auto* path =
      static_cast<const std::string*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), keylog_index()));
  try {
    const std::string whole = std::string(line) + "\n";
    const Descriptor file = open_keylog(*path);
    // One call, so that lines of several connections and processes do not mix. A full disk loses a line, no connection.
    if (file && ::write(file.get(), whole.data(), whole.size()) < 0) return;
  } catch (const std::bad_alloc&) {
    return;
  }
}

void log_keys(SSL_CTX* context, const std::string& path) {
  if (!open_keylog(path)) {
    refuse("keylog_file", path + " can not be written (" + std::generic_category().message(errno) + ")");
  }
  auto kept = std::make_unique<std::string>(path);
  if (SSL_CTX_set_ex_data(context, keylog_index(), kept.get()) != 1) throw std::bad_alloc();
  (void)kept.release();  // the context's now
  SSL_CTX_set_keylog_callback(context, write_key);
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
  // One system call for several records; what no record fills is given back between reads (SSL_MODE_RELEASE_BUFFERS).
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, read_buffer);
  SSL_CTX_set_verify(context, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!options.ca_file.empty() && SSL_CTX_load_verify_file(context, options.ca_file.c_str()) != 1) {
    refuse_file("ca_file", "certificate", options.ca_file);
  }
  if (!options.ca_path.empty()) {
    struct stat about{};
    const bool folder = ::stat(options.ca_path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
    if (!folder || ::access(options.ca_path.c_str(), R_OK | X_OK) != 0) {
      refuse("ca_path", "there is no readable folder " + options.ca_path);
    }
    SSL_CTX_load_verify_dir(context, options.ca_path.c_str());
  }
  if (!options.ca_data.empty()) trust_data(context, options.ca_data);
  const bool own_trust = !options.ca_file.empty() || !options.ca_path.empty() || !options.ca_data.empty();
  if (options.verify && !own_trust) use_system_trust(context, options.trust);
  use_own_certificate(context, options);
  offer_protocols(context, options.alpn);
  if (!options.keylog_file.empty()) log_keys(context, options.keylog_file);
  keep_sessions(context);
}

}  // namespace

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "";
  if (ERR_GET_LIB(code) == ERR_LIB_SYS) return std::generic_category().message(ERR_GET_REASON(code));
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

void forget_tls_contexts_after_fork() noexcept { the_cache.store(new Cache); }

}  // namespace fastws::net
