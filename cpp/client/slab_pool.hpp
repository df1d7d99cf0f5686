// Empty slabs that wait for their next use: one pool for all clients of the process.
//
// May know: slabs. Promises: any thread; a thousand clients that are idle hold no slab of their own; what the pool holds is
// bounded. Its lock is a leaf, held only inside the gate or on the I/O thread, so that none is held at a fork.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "slab.hpp"

namespace fastws::client {

class SlabPool {
 public:
  static SlabPool& instance();

  /// An empty one, with the room of its last use where there is such a one.
  std::unique_ptr<Slab> take();
  /// Empties it and keeps it, unless it is large or there are enough.
  void put(std::unique_ptr<Slab> slab);
  /// A connection has gone quiet: only small ones are kept. One that has not finds new ones soon.
  void give_back();

 private:
  static constexpr std::size_t most_slabs = 8;
  static constexpr std::size_t most_bytes = std::size_t{1} << 20;  // of one slab
  static constexpr std::size_t small_bytes = std::size_t{64} << 10;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Slab>> slabs_;
};

}  // namespace fastws::client
