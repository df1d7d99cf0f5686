// The descriptors of this process's sockets, for the child of a fork that must close them and touch nothing else.
//
// May know: nothing of this project. Promises: a slot is taken and freed without a lock; the child only reads.
#pragma once

namespace fastws::net {

/// An open descriptor, closed with its owner, and listed while it is open. Movable.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int get() const noexcept { return number_; }
  [[nodiscard]] explicit operator bool() const noexcept { return number_ >= 0; }
  void close() noexcept;

 private:
  int number_ = -1;
};

}  // namespace fastws::net
