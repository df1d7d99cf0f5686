// The levels of a text, at most those that Python allows, against what is left of the thread's stack.
#include "python_loads.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#if defined(__linux__)
#include <pthread.h>
#endif

namespace fastws::python {

namespace {

// CPython 3.10 to 3.13 for x86-64 takes 144 bytes a level; other compilers and machines may take more.
constexpr std::size_t bytes_per_level = 512;
constexpr std::size_t levels_on_any_stack = 40;  // what any other Python code may need, too
constexpr std::size_t bytes_beside = 16 * 1024;

/// The deepest that json.loads goes before it gives up.
std::size_t python_limit() noexcept {
#if PY_VERSION_HEX < 0x030C0000
  return static_cast<std::size_t>(std::max(Py_GetRecursionLimit(), 0));
#elif PY_VERSION_HEX < 0x030E0000
  return 10000;  // the largest limit for C code of any 3.12 and 3.13
#else
  return 0;  // it looks at the stack itself
#endif
}

/// The bytes between here and the end of the thread's stack.
std::size_t stack_left() noexcept {
#if defined(__linux__)
  thread_local const char* end = nullptr;  // for a main thread the answer is looked up in a file
  if (end == nullptr) {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return std::numeric_limits<std::size_t>::max();
    void* lowest = nullptr;
    std::size_t size = 0;
    std::size_t guard = 0;
    pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_getguardsize(&attributes, &guard);
    pthread_attr_destroy(&attributes);
    end = static_cast<const char*>(lowest) + guard;  // which some versions count as a part of the stack
  }
  const auto* here = static_cast<const char*>(__builtin_frame_address(0));
  return here > end ? static_cast<std::size_t>(here - end) : 0;
#else
  return std::numeric_limits<std::size_t>::max();
#endif
}

bool fits(std::size_t levels) noexcept {
  if (levels <= levels_on_any_stack) return true;
  return std::min(levels, python_limit()) * bytes_per_level + bytes_beside <= stack_left();
}

/// The most brackets open at once: of a text that is no JSON at least as many as json.loads goes into.
std::size_t nesting_of(std::string_view text) noexcept {
  std::size_t open = 0;
  std::size_t most = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char byte = text[at];
    if (in_string) {
      if (byte == '\\') ++at;
      if (byte == '"') in_string = false;
    } else if (byte == '"') {
      in_string = true;
    } else if (byte == '[' || byte == '{') {
      most = std::max(most, ++open);
    } else if ((byte == ']' || byte == '}') && open != 0) {
      --open;
    }
  }
  return most;
}

/// Kept for the life of the process. An import may let other threads run: what they found is the same.
PyObject* loads() {
  static PyObject* kept = nullptr;
  if (kept != nullptr) return kept;
  PyObject* module = PyImport_ImportModule("json");
  if (module == nullptr) return nullptr;
  PyObject* found = PyObject_GetAttrString(module, "loads");
  Py_DECREF(module);
  if (kept != nullptr) {
    Py_XDECREF(found);
  } else {
    kept = found;
  }
  return kept;
}

}  // namespace

PyObject* python_loads(std::string_view text) {
  // A level has at least one byte.
  if (!fits(text.size()) && !fits(nesting_of(text))) {
    PyErr_SetString(PyExc_RecursionError,
                    "maximum recursion depth exceeded while decoding JSON: the stack of this thread is too "
                    "small for so many levels");
    return nullptr;
  }
  PyObject* const function = loads();
  if (function == nullptr) return nullptr;
  PyObject* argument = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), nullptr);
  if (argument == nullptr) return nullptr;
  PyObject* loaded = PyObject_CallOneArg(function, argument);
  Py_DECREF(argument);
  return loaded;
}

}  // namespace fastws::python
