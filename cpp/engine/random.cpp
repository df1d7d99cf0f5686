// One system call buys the keys of many frames: each thread keeps a small buffer of its own, so nothing is
// locked.
#include "random.hpp"

#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace fastws::engine {
namespace {

constexpr std::size_t kChunk = 256;  // the most that getentropy() gives at once

std::atomic<std::uint32_t> forks{0};

// A forked child inherits the buffers. Counting forks lets every buffer notice without asking for a process
// id per key.
bool watch_forks() {
  const int error = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  if (error != 0) throw std::system_error(error, std::generic_category(), "pthread_atfork");
  return true;
}

struct Reserve {
  std::array<unsigned char, kChunk> bytes;
  std::size_t used = sizeof bytes;
  std::uint32_t fork = 0;
};

thread_local Reserve reserve;

void refill() {
  static const bool watching = watch_forks();
  static_cast<void>(watching);
  // Read before the bytes are: a fork in between makes them stale, never fresh by mistake.
  reserve.fork = forks.load(std::memory_order_relaxed);
  reserve.used = sizeof reserve.bytes;
  if (getentropy(reserve.bytes.data(), kChunk) != 0) {
    throw std::system_error(errno, std::generic_category(), "getentropy");
  }
  reserve.used = 0;
}

}  // namespace

void random_bytes(void* out, std::size_t size) {
  auto* to = static_cast<unsigned char*>(out);
  while (size != 0) {
    if (reserve.used == reserve.bytes.size() || reserve.fork != forks.load(std::memory_order_relaxed))
      refill();
    const std::size_t count = std::min(size, reserve.bytes.size() - reserve.used);
    std::memcpy(to, reserve.bytes.data() + reserve.used, count);
    reserve.used += count;
    to += count;
    size -= count;
  }
}

std::uint32_t random_u32() {
  std::uint32_t value;
  random_bytes(&value, sizeof value);
  return value;
}

}  // namespace fastws::engine
