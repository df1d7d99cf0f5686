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
  /// Empties it and keeps it, unless there are enough: a stream of large messages finds its pages again, too.
  void put(std::unique_ptr<Slab> slab);
  /// A connection has gone quiet: only small ones are kept. One that has not finds new ones soon.
  void give_back();

 private:
  static constexpr std::size_t most_slabs = 32;
  static constexpr std::size_t most_bytes = std::size_t{16} << 20;  // of all together
  static constexpr std::size_t small_bytes = std::size_t{64} << 10;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Slab>> slabs_;
  std::size_t bytes_ = 0;  // their room
};

}  // namespace fastws::client
