// The way of a Python exception that is set through C++ code back to Python, and of a C++ exception to Python.
//
// May know: pybind11. Promises: Python code sees that exception, or MemoryError where there is no memory to make it.
#pragma once

#include <pybind11/pybind11.h>

#include <exception>
#include <new>

namespace fastws::python {

/// To be called with an exception set. Up to Python 3.11 it may not be made yet: pybind11 makes it, and where that fails
/// throws a RuntimeError of its own. Nor does it have its traceback, which pybind11 keeps beside it.
[[noreturn]] inline void throw_raised() {
#if PY_VERSION_HEX < 0x030C0000
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  if (trace != nullptr) PyException_SetTraceback(value, trace);
  PyErr_Restore(type, value, trace);
#endif
  throw pybind11::error_already_set();
}

/// The exception that is set, which is not set any more.
inline pybind11::object take_raised() {
  try {
    throw_raised();
  } catch (const pybind11::error_already_set& error) {
    return error.value();
  }
}

/// For a function that Python calls without pybind11 between: the object that is made, or nullptr with what was thrown set.
template <typename Make>
PyObject* made_or_raised(const Make& make) {
  try {
    return make().release().ptr();
  } catch (pybind11::error_already_set& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

}  // namespace fastws::python
