// The containers that encode() is inside of; see encode_stack.hpp.
//
// May know: the CPython API. Promises: a cycle is found at once when it has at most `near_frames` members, a longer one when
// the depth limit is reached: looking at every ancestor of every container would make deep texts quadratic.

#include "encode_stack.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

namespace fastws::python {
namespace {

constexpr std::size_t near_frames = 64;
constexpr std::size_t shown_steps = 8;  // of a path, at either end
constexpr std::size_t shown_key = 60;

/// json.dumps counts its levels against the recursion limit up to Python 3.11, later against the native
/// stack, which holds more.
std::size_t depth_limit() {
  const auto limit = static_cast<std::size_t>(std::max(Py_GetRecursionLimit(), 1));
#if PY_VERSION_HEX >= 0x030C0000
  return std::max<std::size_t>(limit, 10'000);
#else
  return limit;
#endif
}

/// The ASCII text of a key, escaped where it is not ASCII. Runs no code of the user.
std::string key_text(PyObject* key) {
  Owned shown;
  if (PyUnicode_Check(key)) {
    shown.reset(PyUnicode_AsUnicodeEscapeString(key));
    if (shown)
      return {PyBytes_AS_STRING(shown.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(shown.get()))};
  } else if (PyLong_CheckExact(key) || PyFloat_CheckExact(key) || key == Py_None || PyBool_Check(key)) {
    shown.reset(PyObject_Repr(key));
    if (const char* text = shown ? PyUnicode_AsUTF8(shown.get()) : nullptr) return text;
  }
  PyErr_Clear();
  return "?";
}

bool is_name(const std::string& text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') && std::all_of(text.begin(), text.end(), plain);
}

std::string step(const Frame& frame) {
  if (frame.kind == Frame::Kind::kStandIn) return {};
  if (frame.kind == Frame::Kind::kList || frame.kind == Frame::Kind::kTuple) {
    return "[" + std::to_string(frame.position - 1) + "]";
  }
  if (frame.key == nullptr) return {};
  std::string text = key_text(frame.key);
  if (text.size() > shown_key) text.replace(shown_key, std::string::npos, "...");
  if (!PyUnicode_Check(frame.key)) return "[" + text + "]";
  return is_name(text) ? "." + text : "[\"" + text + "\"]";
}

}  // namespace

FrameStack::~FrameStack() {
  while (depth_ != 0) pop();
}

bool FrameStack::holds(const PyObject* object, std::size_t nearest) const noexcept {
  const Frame* const end = frames_ + depth_;
  return std::any_of(end - std::min(nearest, depth_), end,
                     [object](const Frame& frame) { return frame.object == object; });
}

bool FrameStack::holds_one_twice() const {
  std::vector<const PyObject*> objects;
  std::transform(frames_, frames_ + depth_, std::back_inserter(objects),
                 [](const Frame& frame) { return frame.object; });
  std::sort(objects.begin(), objects.end(), std::less<>());
  return std::adjacent_find(objects.begin(), objects.end()) != objects.end();
}

bool FrameStack::may_enter(PyObject* object) {
  const bool too_deep = depth_ >= depth_limit();
  // A cycle of more containers than are looked through each time comes round until it is too deep, and that may be in a
  // member beside the cycle.
  if (holds(object, too_deep ? depth_ : near_frames) || (too_deep && holds_one_twice())) {
    PyErr_Format(PyExc_ValueError, "Circular reference detected%s", place().c_str());
    return false;
  }
  if (too_deep) {
    PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded while encoding a JSON object");
    return false;
  }
  if (depth_ == capacity_) grow();
  return true;
}

void FrameStack::hold() noexcept {
  // The last frame that was held may be covered by now.
  for (std::size_t i = held_ == 0 ? 0 : held_ - 1; i < depth_; ++i) {
    Frame& frame = frames_[i];
    if (i >= held_) Py_INCREF(frame.object);
    if (i + 1 < depth_ && !frame.key_held) {
      Py_XINCREF(frame.key);
      frame.key_held = true;
    }
  }
  held_ = depth_;
}

void FrameStack::release_popped() noexcept {
  // Giving references back may run Python code: first the stack is in order, then they go.
  const Frame left = frames_[depth_];
  held_ = depth_;
  PyObject* covered_key = nullptr;
  if (depth_ != 0 && top().key_held) {
    std::swap(covered_key, top().key);
    top().key_held = false;
  }
  Py_XDECREF(covered_key);
  Py_XDECREF(left.source);
  Py_DECREF(left.object);
}

void FrameStack::grow() {
  std::unique_ptr<Frame[]> larger(new Frame[capacity_ * 2]);
  std::copy(frames_, frames_ + depth_, larger.get());
  heap_ = std::move(larger);
  frames_ = heap_.get();
  capacity_ *= 2;
}

std::string FrameStack::place(bool of_key, const std::string& inside) const {
  const std::size_t steps = of_key ? depth_ - 1 : depth_;
  std::string path;
  for (std::size_t i = 0; i < steps; ++i) {
    if (i >= shown_steps && i + shown_steps < steps) {
      path += "...";
      i = steps - shown_steps;
    }
    path += step(frames_[i]);
  }
  path += inside;
  if (of_key) return " in a key of $" + path;
  return path.empty() ? path : " at $" + path;
}

}  // namespace fastws::python
