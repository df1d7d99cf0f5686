// What wakes an event loop of Python: a descriptor that is readable when one of its clients' bells rang.
//
// May know: descriptors. Promises: one descriptor for all clients of a loop, written once until answer(), however many
// bells ring meanwhile; nobody waits for the loop; the descriptor stays open while anybody may write to it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "../net/descriptors.hpp"

namespace fastws::client {

class Wakeup {
 public:
  /// nullptr = the system gives no descriptor (errno says why).
  static std::shared_ptr<Wakeup> make();
  explicit Wakeup(net::Descriptor descriptor) noexcept : descriptor_(std::move(descriptor)) {}

  /// What the loop watches.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_.get(); }
  /// Any thread: the bell of this number rang.
  void rang(std::uint64_t number);
  /// The loop: the bells that rang since the last answer, in that order. Each must be made quiet before its client is
  /// looked at.
  std::vector<std::uint64_t> answer();

 private:
  const net::Descriptor descriptor_;
  std::mutex mutex_;  // a leaf: nothing else is locked under it
  std::vector<std::uint64_t> rung_;
};

}  // namespace fastws::client
