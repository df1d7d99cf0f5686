// The store hangs on the context, the peer's name on the connection: OpenSSL frees both with what they hang on.
#include "tls_sessions.hpp"

#include <openssl/x509.h>

#include <ctime>
#include <list>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace fastws::net {

namespace {

constexpr long longest = 24L * 3600;  // seconds that a session may be kept (RFC 5246 appendix F.1.4)

struct Free {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Session = std::unique_ptr<SSL_SESSION, Free>;

/// Sessions by peer, the newest first.
class Store {
 public:
  void put(const std::string& peer, Session session) {
    const std::lock_guard<std::mutex> lock(mutex_);
    remove(peer);
    sessions_.emplace_front(peer, std::move(session));
    if (sessions_.size() > most_sessions) sessions_.pop_back();
  }
  Session take(const std::string& peer) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return remove(peer);
  }
  std::size_t size() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return sessions_.size();
  }

 private:
  Session remove(const std::string& peer) {
    for (auto entry = sessions_.begin(); entry != sessions_.end(); ++entry) {
      if (entry->first != peer) continue;
      Session session = std::move(entry->second);
      sessions_.erase(entry);
      return session;
    }
    return nullptr;
  }

  std::mutex mutex_;
  std::list<std::pair<std::string, Session>> sessions_;
};

void free_store(void*, void* store, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Store*>(store); }

void free_peer(void*, void* peer, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::string*>(peer);
}

int store_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_store);
  return index;
}

int peer_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_peer);
  return index;
}

Store* store_of(const SSL* connection) {
  return static_cast<Store*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), store_index()));
}

const std::string* peer_of(const SSL* connection) {
  return static_cast<const std::string*>(SSL_get_ex_data(connection, peer_index()));
}

/// Keeps a copy: OpenSSL spoils its own when the connection ends without goodbye, which is just when we reconnect, and
/// which forbids no resumption since TLS 1.1 (RFC 4346 section 7.2.1).
void keep(const SSL* connection, SSL_SESSION* session) {
  Store* store = store_of(connection);
  const std::string* peer = peer_of(connection);
  if (store == nullptr || peer == nullptr || SSL_SESSION_is_resumable(session) != 1) return;
  Session copy(SSL_SESSION_dup(session));
  if (copy) store->put(*peer, std::move(copy));
}

int session_is_new(SSL* connection, SSL_SESSION* session) {
  try {
    keep(connection, session);
  } catch (const std::bad_alloc&) {
    // The next handshake is a full one.
  }
  return 0;  // we took no reference
}

/// A resumed handshake shows no certificate: what was true of the one that began the session must still be true.
bool is_fresh(const SSL_SESSION* session) {
  const long age = static_cast<long>(std::time(nullptr)) - SSL_SESSION_get_time(session);
  if (age < 0 || age > longest) return false;
  const X509* certificate = SSL_SESSION_get0_peer(const_cast<SSL_SESSION*>(session));
  return certificate == nullptr || X509_cmp_current_time(X509_get0_notAfter(certificate)) > 0;
}

}  // namespace

void keep_sessions(SSL_CTX* context) {
  auto store = std::make_unique<Store>();
  if (SSL_CTX_set_ex_data(context, store_index(), store.get()) != 1) throw std::bad_alloc();
  (void)store.release();  // the context's now
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, session_is_new);
}

void offer_session(SSL* connection, const std::string& peer) {
  auto name = std::make_unique<std::string>(peer);
  if (SSL_set_ex_data(connection, peer_index(), name.get()) != 1) return;
  (void)name.release();  // the connection's now
  Store* store = store_of(connection);
  if (store == nullptr) return;
  const Session session = store->take(peer);
  if (session && is_fresh(session.get())) SSL_set_session(connection, session.get());
}

void renew_session(SSL* connection) {
  if (SSL_session_reused(connection) != 1 || SSL_version(connection) >= TLS1_3_VERSION) return;
  session_is_new(connection, SSL_get_session(connection));
}

void forget_session(SSL* connection) {
  Store* store = store_of(connection);
  const std::string* peer = peer_of(connection);
  if (store != nullptr && peer != nullptr) store->take(*peer);
}

std::size_t kept_sessions(SSL_CTX* context) {
  auto* store = static_cast<Store*>(SSL_CTX_get_ex_data(context, store_index()));
  return store == nullptr ? 0 : store->size();
}

}  // namespace fastws::net
