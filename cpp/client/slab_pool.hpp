// Empty slabs that wait for their next use: one pool for all clients of the process.
//
// May know: slabs. Promises: any thread; a thousand clients that are idle hold no slab of their own; what the pool holds is
// bounded, and little while nobody receives much. Its lock is a leaf, held only inside the gate or on the I/O thread, so
// that none is held at a fork.
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
  /// Empties it and keeps it, unless there are enough. New memory for each large message would have the kernel
  /// clear every page of it, which is a third of all that a text of 1 MiB takes.
  void put(std::unique_ptr<Slab> slab);
  /// A connection has gone quiet: only small ones are kept until the next one is taken. One that has not finds new ones soon.
  void give_back();

 private:
  static constexpr std::size_t most_slabs = 8;
  static constexpr std::size_t most_bytes = std::size_t{32} << 20;  // of all that are not small

  std::mutex mutex_;
  std::vector<std::unique_ptr<Slab>> slabs_;
  std::size_t large_ = 0;  // bytes of those that are not small
  bool busy_ = true;       // one was taken since a connection went quiet
};

}  // namespace fastws::client
