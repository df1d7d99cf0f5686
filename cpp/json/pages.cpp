// The system's calls, and the heap where it refuses.
#include "pages.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace fastws::json {

namespace {

#if defined(__has_feature)
#define FASTWS_HAS_FEATURE(name) __has_feature(name)
#else
#define FASTWS_HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || FASTWS_HAS_FEATURE(address_sanitizer)
constexpr std::size_t large =
    static_cast<std::size_t>(-1);  // the heap's red zones find who writes beyond an end
#else
constexpr std::size_t large = std::size_t{128}
                              << 10;  // where glibc's heap begins to do the same, before it learns not to
#endif

void* map(std::size_t bytes) noexcept {
  void* made = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return made == MAP_FAILED ? nullptr : made;
}

void* remap(void* data, std::size_t from, std::size_t to) noexcept {
#if defined(__linux__)
  void* moved = ::mremap(data, from, to, MREMAP_MAYMOVE);
  return moved == MAP_FAILED ? nullptr : moved;
#else
  void* moved = map(to);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, data, std::min(from, to));
  ::munmap(data, from);
  return moved;
#endif
}

}  // namespace

void* resize_pages(void* data, std::size_t from, std::size_t to, bool& mapped) noexcept {
  if (mapped) return remap(data, from, to);
  void* made = to < large ? nullptr : map(to);
  if (made == nullptr) return std::realloc(data, to);
  if (from != 0) std::memcpy(made, data, std::min(from, to));
  std::free(data);
  mapped = true;
  return made;
}

void release_pages(void* data, std::size_t bytes, bool mapped) noexcept {
  if (mapped) {
    ::munmap(data, bytes);
  } else {
    std::free(data);
  }
}

}  // namespace fastws::json
