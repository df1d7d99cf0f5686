// Most of an object's time goes into looking up its keys as they are set, so what is set already counts.
#include "numbered_keys.hpp"

#include <new>
#include <utility>

namespace fastws::python {

void NumberedKeys::clear() noexcept {
  for (std::size_t index = 0; index < count_; ++index) Py_DECREF(keys_[index]);
  count_ = 0;
  keys_.reset();
  usual_.reset();
  Py_CLEAR(pattern_);
}

bool NumberedKeys::set(std::unique_ptr<PyObject*[]> keys, std::size_t count) {
  clear();
  keys_ = std::move(keys);
  count_ = count;
  if (count < worth_a_copy) return true;
  pattern_ = PyDict_New();
  bool well = pattern_ != nullptr;
  for (std::size_t index = 0; well && index < count; ++index) {
    well = PyDict_SetItem(pattern_, keys_[index], Py_None) == 0;
  }
  if (!well) {
    clear();
    return false;
  }
  // With a key twice, what the pattern has under it is not what each of the two gave.
  if (static_cast<std::size_t>(PyDict_Size(pattern_)) == count) {
    usual_.reset(new (std::nothrow) Usual[count]);
  }
  return true;
}

void NumberedKeys::replace(Usual& here, std::size_t index, PyObject* value) noexcept {
  if (PyDict_SetItem(pattern_, keys_[index], value) == 0) {
    here = {value, new_trust};
  } else {
    PyErr_Clear();
  }
}

}  // namespace fastws::python
