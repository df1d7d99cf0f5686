// The keys of objects that the reader has given a number, and an object that has them all: a pattern, whose copies need only
// be given what differs from it.
//
// May know: the CPython API. Promises: with the GIL only; a copy of the pattern has what has() says it has.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace fastws::python {

class NumberedKeys {
 public:
  NumberedKeys() = default;
  ~NumberedKeys() { clear(); }
  NumberedKeys(const NumberedKeys&) = delete;
  NumberedKeys& operator=(const NumberedKeys&) = delete;

  std::uint64_t number = 0;  // 0 = no keys yet
  unsigned in_use = 0;       // objects being filled with them: they are not replaced meanwhile

  /// Takes the keys over. False = an exception, and there are none.
  bool set(std::unique_ptr<PyObject*[]> keys, std::size_t count);
  [[nodiscard]] PyObject* key(std::size_t index) const noexcept { return keys_[index]; }
  /// An object to be filled: a copy of the pattern, or an empty one. A new reference, or nullptr with an exception.
  [[nodiscard]] PyObject* object() const {
    return pattern_ != nullptr ? PyDict_Copy(pattern_) : PyDict_New();
  }
  /// Whether the object that is being filled has this value under a key already. For values that may well come again: the
  /// pattern is given what mostly comes.
  bool has(std::size_t index, PyObject* value) noexcept {
    if (usual_ == nullptr) return false;
    Usual& here = usual_[index];
    if (here.value != value) {
      differs(here, index, value);
      return false;
    }
    if (here.trust < most_trust) ++here.trust;
    return true;
  }

 private:
  static constexpr std::size_t worth_a_copy = 6;  // keys; a dict of up to 5 grows only once
  static constexpr unsigned new_trust = 8;  // times that a value may be another one before it is replaced
  static constexpr unsigned most_trust = 64;

  /// What objects are given under a key as a rule: a string that repeats, true, false or null.
  struct Usual {
    PyObject* value = Py_None;  // the pattern has it
    unsigned trust = 0;
  };

  void clear() noexcept;
  void differs(Usual& here, std::size_t index, PyObject* value) noexcept {
    if (here.trust != 0) {
      --here.trust;
    } else if (in_use == 1) {
      // Else an object around this one is still being filled that has what the pattern had.
      replace(here, index, value);
    }
  }
  void replace(Usual& here, std::size_t index, PyObject* value) noexcept;

  std::size_t count_ = 0;
  std::unique_ptr<PyObject*[]> keys_;  // owned
  PyObject* pattern_ = nullptr;        // a dict with these keys; nullptr = too small to be worth a copy
  std::unique_ptr<Usual[]> usual_;     // nullptr = nothing is known of the pattern's values
};

}  // namespace fastws::python
