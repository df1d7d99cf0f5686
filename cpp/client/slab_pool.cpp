// The pool: a stack, so that the slab used last, whose memory is warm, is the next to be used.
#include "slab_pool.hpp"

#include <utility>

namespace fastws::client {

SlabPool& SlabPool::instance() {
  static auto* made = new SlabPool;  // for the life of the process, whoever is destroyed last
  return *made;
}

std::unique_ptr<Slab> SlabPool::take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!slabs_.empty()) {
      std::unique_ptr<Slab> slab = std::move(slabs_.back());
      slabs_.pop_back();
      return slab;
    }
  }
  return std::make_unique<Slab>();
}

void SlabPool::put(std::unique_ptr<Slab> slab) {
  if (slab->tape.text.capacity() + slab->tape.words.capacity() * sizeof(std::uint64_t) >= most_bytes) return;
  slab->tape.clear();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (slabs_.size() < most_slabs) slabs_.push_back(std::move(slab));
}

}  // namespace fastws::client
