// The pool: a stack, so that the slab used last, whose memory is warm, is the next to be used.
#include "slab_pool.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fastws::client {

namespace {

constexpr std::size_t small_bytes = std::size_t{64} << 10;

std::size_t room_of(const Slab& slab) {
  return slab.tape.text.capacity() + slab.tape.words.capacity() * sizeof(std::uint64_t);
}

/// What a slab counts for: a small one nothing.
std::size_t large_room_of(const Slab& slab) {
  const std::size_t room = room_of(slab);
  return room > small_bytes ? room : 0;
}

}  // namespace

SlabPool& SlabPool::instance() {
  static auto* made = new SlabPool;  // for the life of the process, whoever is destroyed last
  return *made;
}

std::unique_ptr<Slab> SlabPool::take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    busy_ = true;
    if (!slabs_.empty()) {
      std::unique_ptr<Slab> slab = std::move(slabs_.back());
      slabs_.pop_back();
      large_ -= large_room_of(*slab);
      return slab;
    }
  }
  return std::make_unique<Slab>();
}

void SlabPool::put(std::unique_ptr<Slab> slab) {
  const std::size_t large = large_room_of(*slab);
  slab->tape.clear();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (slabs_.size() >= most_slabs || (large != 0 && (!busy_ || large_ + large > most_bytes))) return;
  large_ += large;
  slabs_.push_back(std::move(slab));
}

void SlabPool::give_back() {
  std::vector<std::unique_ptr<Slab>> gone;  // freed without the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto large = std::stable_partition(slabs_.begin(), slabs_.end(),
                                           [](const auto& slab) { return large_room_of(*slab) == 0; });
  gone.assign(std::make_move_iterator(large), std::make_move_iterator(slabs_.end()));
  slabs_.erase(large, slabs_.end());
  large_ = 0;
  busy_ = false;
}

}  // namespace fastws::client
