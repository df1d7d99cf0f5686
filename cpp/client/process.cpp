// The registry of living clients, and what exit and fork do with it.
#include "process.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "../net/dialer.hpp"
#include "../net/resolver.hpp"
#include "client.hpp"
#include "gate.hpp"

namespace fastws::client {

namespace {

struct Registry {
  std::mutex mutex;
  std::vector<std::weak_ptr<Client>> clients;
};

std::atomic<Registry*> the_registry{new Registry};
std::atomic<std::uint32_t> the_generation{0};

std::vector<std::shared_ptr<Client>> living() {
  Registry& registry = *the_registry.load();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  std::vector<std::shared_ptr<Client>> clients;
  for (const auto& weak : registry.clients) {
    if (auto client = weak.lock()) clients.push_back(std::move(client));
  }
  return clients;
}

}  // namespace

void remember(const std::shared_ptr<Client>& client) {
  Registry& registry = *the_registry.load();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  auto& clients = registry.clients;
  clients.erase(
      std::remove_if(clients.begin(), clients.end(), [](const auto& weak) { return weak.expired(); }),
      clients.end());
  clients.push_back(client);
}

std::uint32_t generation() noexcept { return the_generation.load(); }

void watch_forks() {
  // The first thing that a fork's child does, before any hook of Python's: a client of the parent's is lost from then on.
  pthread_atfork(nullptr, nullptr, [] { the_generation.fetch_add(1); });
}

void before_fork() {
  Gate::instance().take();
  if (IoThread* io = IoThread::existing()) io->park();
}

void after_fork_in_parent() {
  if (IoThread* io = IoThread::existing()) io->unpark();
  Gate::instance().release();
}

void after_fork_in_child() {
  // The parent's I/O thread, its loop, TLS contexts, engines and clients do not exist here: they are leaked, untouched.
  Gate::renew_after_fork();
  net::close_descriptors_after_fork();
  net::forget_lookups_after_fork();
  net::forget_tls_contexts_after_fork();
  IoThread::forget_after_fork();
  Recorder::forget_after_fork();
  the_registry.store(new Registry);
}

void shut_down(double grace, double join) {
  Gate& gate = Gate::instance();
  gate.close();
  const auto clients = living();
  for (const auto& client : clients) client->destroy(grace);
  IoThread* io = IoThread::existing();
  if (io != nullptr && !clients.empty()) {
    // A marker behind all those destroy() calls: once it ran, every Close frame that could be written at once was.
    auto reached = std::make_shared<std::atomic<bool>>(false);
    io->post([reached] { reached->store(true); });
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(grace);
    while (std::chrono::steady_clock::now() < until &&
           (!reached->load() || Transport::lingering_count() != 0)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  gate.wait_empty(join);
  if (io != nullptr) io->stop(join);
  Recorder::finish_all(net::monotonic_now() + join);
}

}  // namespace fastws::client
