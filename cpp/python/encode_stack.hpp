// The containers that encode() is inside of: an explicit stack, so that depth costs no native stack on any
// thread.
//
// May know: the CPython API. Promises: what a frame refers to lives as long as the frame, whatever Python
// code does meanwhile; push() refuses cycles and excessive depth; every reference is given back when the
// stack goes.
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
  enum class Kind { kList, kTuple, kDict, kItems, kFields, kStandIn };

  PyObject* object;  // owned: the container
  PyObject*
      source;  // owned or nullptr: the items() of a mapping, the fields of a dataclass, what stands in for it
  PyObject* key;        // of the current member; borrowed while this is the top frame, owned while it is not
  Py_ssize_t position;  // of the next member
  Py_ssize_t size;      // a dict's, when it was entered
  Py_ssize_t left;      // members of that dict that are still to come
  Kind kind;
};

class FrameStack {
 public:
  FrameStack() noexcept : frames_(inline_), depth_(0), capacity_(sizeof inline_ / sizeof *inline_) {}
  ~FrameStack();
  FrameStack(const FrameStack&) = delete;
  FrameStack& operator=(const FrameStack&) = delete;

  bool empty() const noexcept { return depth_ == 0; }
  Frame& top() noexcept { return frames_[depth_ - 1]; }

  /// Enters `object`. False = ValueError or RecursionError is set. Frames may move.
  bool push(Frame::Kind kind, PyObject* object);
  void pop() noexcept;

  /// Where the current member is, as " at $.orders[3].price"; "" at the root. With `of_key` the container of
  /// the key.
  std::string place(bool of_key = false) const;

 private:
  bool holds(const PyObject* object, std::size_t nearest) const noexcept;
  void grow();

  Frame inline_[12];  // left as they are until used
  std::unique_ptr<Frame[]> heap_;
  Frame* frames_;
  std::size_t depth_;
  std::size_t capacity_;
};

}  // namespace fastws::python
