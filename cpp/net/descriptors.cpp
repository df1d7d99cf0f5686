// A bitmap over descriptor numbers: listing one is setting a bit.
#include "descriptors.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "stream.hpp"

namespace fastws::net {

namespace {

// Descriptors above this are not closed in a fork's child; the limit of open files is rarely above it.
constexpr std::size_t most = std::size_t{1} << 20;
constexpr std::size_t width = 64;
std::array<std::atomic<std::uint64_t>, most / width> listed{};  // zero pages until used

void mark(int number, bool open) noexcept {
  const auto index = static_cast<std::size_t>(number);
  if (index >= most) return;
  const std::uint64_t bit = std::uint64_t{1} << (index % width);
  if (open) {
    listed[index / width].fetch_or(bit);
  } else {
    listed[index / width].fetch_and(~bit);
  }
}

}  // namespace

Descriptor::Descriptor(int number) : number_(number) {
  if (number_ >= 0) mark(number_, true);
}

Descriptor::~Descriptor() { close(); }

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

void Descriptor::close() noexcept {
  if (number_ < 0) return;
  mark(number_, false);
  ::close(std::exchange(number_, -1));
}

void close_descriptors_after_fork() noexcept {
  for (std::size_t word = 0; word < listed.size(); ++word) {
    if (listed[word].load() == 0) continue;  // writing would copy a page of the parent's
    const std::uint64_t bits = listed[word].exchange(0);
    for (std::size_t bit = 0; bits != 0 && bit < width; ++bit) {
      if ((bits >> bit & 1) != 0) ::close(static_cast<int>(word * width + bit));
    }
  }
}

}  // namespace fastws::net
