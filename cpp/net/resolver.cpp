// The table of running lookups and of those who wait for a place. It is leaked: a lookup may end after everything else.
#include "resolver.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/un.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace fastws::net {

struct Lookup::Waiter {
  Loop* loop = nullptr;  // nullptr: nobody is interested any more; guarded by the table's mutex
  std::string host;
  Done done;
};

namespace {

constexpr std::size_t most_per_host = 2;
constexpr std::size_t most_in_all = 16;
constexpr double joined_if_younger = 1.0;  // seconds

using WaiterPtr = std::shared_ptr<Lookup::Waiter>;

struct Running {
  std::string host;
  double began = 0.0;
  std::vector<WaiterPtr> waiters;
};

struct Table {
  std::mutex mutex;
  std::vector<std::shared_ptr<Running>> running;
  std::deque<WaiterPtr> waiting;
  LookUp look_up = system_look_up();
};

std::atomic<Table*> the_table{nullptr};

Table& table() {
  if (Table* existing = the_table.load()) return *existing;
  auto* made = new Table;
  Table* expected = nullptr;
  if (the_table.compare_exchange_strong(expected, made)) return *made;
  delete made;
  return *expected;
}

/// A thread inherits the mask of the one that starts it.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

void run_detached(std::function<void()> function) {
  const SignalsBlocked blocked;
  std::thread([function = std::move(function)] {
    pthread_setname_np(pthread_self(), "fastws-dns");
    function();
  }).detach();
}

/// Under the mutex, which keeps the waiter's loop alive: its owner takes it to end the interest.
void tell(const WaiterPtr& waiter, const Resolved& result) {
  if (waiter->loop == nullptr) return;
  waiter->loop->post([weak = std::weak_ptr<Lookup::Waiter>(waiter), result] {
    // On the loop's thread, like the end of the interest.
    const auto interested = weak.lock();
    if (interested && interested->loop != nullptr) interested->done(result);
  });
}

bool seat(Table& table, const WaiterPtr& waiter);

Resolved ask(const std::string& host, int flags);

/// localhost and the names under it, with or without the root's dot (RFC 6761 section 6.3).
bool names_this_machine(std::string_view host) {
  constexpr std::string_view name = "localhost";
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (host == name) return true;
  return host.size() > name.size() && host.substr(host.size() - name.size()) == name &&
         host[host.size() - name.size() - 1] == '.';
}

Resolved looked_up(const LookUp& look_up, const std::string& host) {
  try {
    Resolved found = look_up(host);
    if (!found.addresses.empty() || !names_this_machine(host)) return found;
    // A bare machine has no /etc/hosts, and no name server must know this name.
    found = ask("127.0.0.1", AI_NUMERICHOST);
    const Resolved six = ask("::1", AI_NUMERICHOST);
    found.addresses.insert(found.addresses.end(), six.addresses.begin(), six.addresses.end());
    return found;
  } catch (const std::exception& error) {
    return {{}, error.what()};
  }
}

/// On a lookup's thread: hands the result to those who still want it, and its place to those who wait.
void finish(Table& table, const std::shared_ptr<Running>& run, const Resolved& result) {
  const std::lock_guard<std::mutex> lock(table.mutex);
  table.running.erase(std::find(table.running.begin(), table.running.end(), run));
  for (const auto& waiter : std::exchange(run->waiters, {})) tell(waiter, result);
  std::deque<WaiterPtr> still;
  for (const auto& waiter : std::exchange(table.waiting, {})) {
    if (waiter->loop != nullptr && !seat(table, waiter)) still.push_back(waiter);
  }
  table.waiting = std::move(still);
}

/// Under the mutex: joins a running lookup or begins one. False = there is no place.
bool seat(Table& table, const WaiterPtr& waiter) {
  std::shared_ptr<Running> newest;
  std::size_t of_host = 0;
  for (const auto& run : table.running) {
    if (run->host != waiter->host) continue;
    ++of_host;
    newest = run;  // they are kept in the order in which they began
  }
  const double now = monotonic_now();
  if (newest && (of_host >= most_per_host || now - newest->began < joined_if_younger)) {
    newest->waiters.push_back(waiter);
    return true;
  }
  if (table.running.size() >= most_in_all) return false;
  auto run = std::make_shared<Running>();
  run->host = waiter->host;
  run->began = now;
  run->waiters.push_back(waiter);
  table.running.push_back(run);
  try {
    run_detached(
        [&table, run, look_up = table.look_up] { finish(table, run, looked_up(look_up, run->host)); });
  } catch (const std::exception& error) {
    table.running.pop_back();
    tell(waiter, {{}, std::string("no thread could be started to look it up: ") + error.what()});
  }
  return true;
}

Resolved ask(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  Resolved resolved;
  if (code != 0) {
    resolved.error = code == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(code);
    return resolved;
  }
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
    Address address;
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
    resolved.addresses.push_back(address);
  }
  ::freeaddrinfo(found);
  if (resolved.addresses.empty()) resolved.error = "the name has no address";
  return resolved;
}

}  // namespace

Address unix_address(const std::string& path) {
  Address address;
  auto* const name = reinterpret_cast<sockaddr_un*>(&address.storage);
  name->sun_family = AF_UNIX;
  path.copy(name->sun_path, sizeof name->sun_path - 1);
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

Address literal_address(const std::string& text) {
  const Resolved literal = ask(text, AI_NUMERICHOST);
  if (literal.addresses.empty()) throw std::invalid_argument(text + " is not an IP address");
  return literal.addresses.front();
}

std::string Address::text() const {
  if (family() == AF_UNIX) return reinterpret_cast<const sockaddr_un*>(&storage)->sun_path;
  char buffer[INET6_ADDRSTRLEN] = {};
  const void* bytes =
      family() == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr)
          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr);
  ::inet_ntop(family(), bytes, buffer, sizeof buffer);
  return buffer;
}

std::uint16_t Address::port() const noexcept {
  return ntohs(family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port
                                    : reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

void Address::set_port(std::uint16_t port) noexcept {
  if (family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(port);
  }
}

Lookup::Lookup(Loop& loop, const std::string& host, Done done) : waiter_(std::make_shared<Waiter>()) {
  waiter_->loop = &loop;
  waiter_->host = host;
  waiter_->done = std::move(done);
  Resolved literal = ask(host, AI_NUMERICHOST);  // an address needs no thread
  if (!literal.addresses.empty()) {
    loop.post([weak = std::weak_ptr<Waiter>(waiter_), literal = std::move(literal)] {
      const auto interested = weak.lock();
      if (interested && interested->loop != nullptr) interested->done(literal);
    });
    return;
  }
  Table& all = table();
  const std::lock_guard<std::mutex> lock(all.mutex);
  if (!seat(all, waiter_)) all.waiting.push_back(waiter_);
}

Lookup::~Lookup() {
  Table& all = table();
  const std::lock_guard<std::mutex> lock(all.mutex);
  waiter_->loop = nullptr;
  // A hanging lookup must not collect all who gave it up.
  all.waiting.erase(std::remove(all.waiting.begin(), all.waiting.end(), waiter_), all.waiting.end());
  for (const auto& run : all.running) {
    auto& waiters = run->waiters;
    waiters.erase(std::remove(waiters.begin(), waiters.end(), waiter_), waiters.end());
  }
}

LookUp system_look_up() {
  return [](const std::string& host) { return ask(host, 0); };
}

void set_look_up(LookUp look_up) {
  const std::lock_guard<std::mutex> lock(table().mutex);
  table().look_up = std::move(look_up);  // the running ones keep theirs
}

void forget_lookups_after_fork() noexcept { the_table.store(nullptr); }

}  // namespace fastws::net
