// The containers that encode() is inside of: an explicit stack, so that depth costs no native stack on any
// thread.
//
// May know: the CPython API. Promises: after hold() what a frame refers to lives as long as the frame, whatever Python code
// does meanwhile; push() refuses cycles and excessive depth; every reference is given back when the stack goes.
#pragma once

#include <Python.h>

#include <cstddef>
#include <memory>
#include <string>

namespace fastws::python {

struct DropReference {
  void operator()(PyObject* object) const noexcept { Py_DECREF(object); }
};
using Owned = std::unique_ptr<PyObject, DropReference>;

struct Frame {
  enum class Kind : unsigned char { kList, kTuple, kDict, kItems, kFields, kStandIn };

  PyObject* object;  // the container: owned once hold() was called
  PyObject*
      source;  // owned or nullptr: the items() of a mapping, the fields of a dataclass, what stands in for it
  PyObject* key;        // of the current member: owned where `key_held`, and never in the top frame
  Py_ssize_t position;  // of the next member
  Py_ssize_t size;      // a dict's, when it was entered
  Py_ssize_t left;      // members of that dict that are still to come
  Kind kind;
  bool key_held;
};

class FrameStack {
 public:
  FrameStack() noexcept
      : frames_(inline_), depth_(0), held_(0), capacity_(sizeof inline_ / sizeof *inline_) {}
  ~FrameStack();
  FrameStack(const FrameStack&) = delete;
  FrameStack& operator=(const FrameStack&) = delete;

  bool empty() const noexcept { return depth_ == 0; }
  Frame& top() noexcept { return frames_[depth_ - 1]; }

  /// Enters `object`. False = ValueError or RecursionError is set. Frames may move.
  bool push(Frame::Kind kind, PyObject* object, Py_ssize_t size = 0) {
    // Looked at here: a few ancestors, which is what nearly every container has.
    bool unusual = depth_ >= few_frames;
    for (std::size_t i = 0; !unusual && i < depth_; ++i) unusual = frames_[i].object == object;
    if (__builtin_expect(unusual, 0) && !may_enter(object)) return false;
    frames_[depth_++] = Frame{object, nullptr, nullptr, 0, size, size, kind, false};
    return true;
  }
  void pop() noexcept {
    --depth_;
    if (depth_ < held_) release_popped();
  }

  /// To be called before Python code may run: from now on the frames own what they refer to, so that no change to a container
  /// takes it away. Writing what runs no Python code needs no reference counts.
  void hold() noexcept;

  /// Where the current member is, as " at $.orders[3].price"; "" at the root. With `of_key` the container of the key;
  /// `inside` goes on from there.
  std::string place(bool of_key = false, const std::string& inside = {}) const;

 private:
  static constexpr std::size_t few_frames = 12;

  bool may_enter(PyObject* object);
  bool holds(const PyObject* object, std::size_t nearest) const noexcept;
  bool holds_one_twice() const;
  void release_popped() noexcept;
  void grow();

  Frame inline_[few_frames];  // left as they are until used
  std::unique_ptr<Frame[]> heap_;
  Frame* frames_;
  std::size_t depth_;
  std::size_t held_;  // the lowest frames, which own their objects
  std::size_t capacity_;
};

}  // namespace fastws::python
