// The pool: a stack, so that the slab used last, whose memory is warm, is the next to be used.
#include "slab_pool.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fastws::client {

namespace {

std::size_t room_of(const Slab& slab) {
  return slab.tape.text.capacity() + slab.tape.words.capacity() * sizeof(std::uint64_t);
}

}  // namespace

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
  if (room_of(*slab) >= most_bytes) return;
  slab->tape.clear();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (slabs_.size() < most_slabs) slabs_.push_back(std::move(slab));
}

void SlabPool::give_back() {
  std::vector<std::unique_ptr<Slab>> gone;  // freed without the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto large = std::stable_partition(slabs_.begin(), slabs_.end(),
                                           [](const auto& slab) { return room_of(*slab) <= small_bytes; });
  gone.assign(std::make_move_iterator(large), std::make_move_iterator(slabs_.end()));
  slabs_.erase(large, slabs_.end());
}

}  // namespace fastws::client
