// What Python holds of the descriptor that wakes one of its event loops.
//
// May know: pybind11, the process's generation. Promises: in a fork's child the parent's is neither read nor closed.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../client/process.hpp"
#include "../client/wakeup.hpp"

namespace fastws::python {

class LoopWakeup {
 public:
  LoopWakeup();  // throws OSError as Python's exception
  ~LoopWakeup();
  LoopWakeup(const LoopWakeup&) = delete;
  LoopWakeup& operator=(const LoopWakeup&) = delete;

  [[nodiscard]] const std::shared_ptr<client::Wakeup>& shared() const noexcept { return wakeup_; }
  [[nodiscard]] int descriptor() const noexcept { return wakeup_->descriptor(); }
  /// The numbers of the bells that rang since the last answer. A system call that never waits: with the GIL.
  std::vector<std::uint64_t> answer();

 private:
  [[nodiscard]] bool lost() const noexcept { return generation_ != client::generation(); }

  std::shared_ptr<client::Wakeup> wakeup_;
  const std::uint32_t generation_ = client::generation();
};

}  // namespace fastws::python
