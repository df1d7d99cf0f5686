// Calling a slice's message handlers at once; see direct.hpp.
#include "direct.hpp"

#include <functional>

#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

PyObject* RouteNames::of(std::string_view route) {
  const auto made = [route] {
    return PyUnicode_DecodeUTF8(route.data(), static_cast<Py_ssize_t>(route.size()), "replace");
  };
  if (route.size() > longest) return made();
  Name& name = names_[std::hash<std::string_view>()(route) % names_.size()];
  if (name.text == nullptr || name.bytes != route) {
    PyObject* const text = made();
    if (text == nullptr) return nullptr;
    name.bytes.assign(route);
    Py_XSETREF(name.text, text);
  }
  return Py_NewRef(name.text);
}

DirectCalls::DirectCalls(const py::dict& plans, const py::object& plan_of, const py::object& report)
    : plans_(plans.ptr()), plan_of_(plan_of.ptr()), report_(report.ptr()) {}

py::object DirectCalls::plan(PyObject* route) const {
  // Owned: a handler may change the table, and the plan must outlast its own call.
  if (PyObject* const found = PyDict_GetItemWithError(plans_, route)) {
    return py::reinterpret_borrow<py::object>(found);
  }
  if (PyErr_Occurred() != nullptr) throw_raised();
  PyObject* const made = PyObject_CallOneArg(plan_of_, route);
  if (made == nullptr) throw_raised();
  return py::reinterpret_steal<py::object>(made);
}

bool DirectCalls::removed(PyObject* handler) {
  PyObject* const flag = PyObject_GetAttrString(handler, "removed");
  if (flag == nullptr) throw_raised();
  const bool gone = flag == Py_True;
  Py_DECREF(flag);
  return gone;
}

void DirectCalls::call_one(PyObject* handler, PyObject* function, PyObject* message) const {
  const auto result = py::reinterpret_steal<py::object>(PyObject_CallOneArg(function, message));
  if (result.is_none()) return;
  py::object raised = py::none();
  if (!result) raised = take_raised();
  const py::object given = result ? result : py::none();
  PyObject* const told =
      PyObject_CallFunctionObjArgs(report_, handler, message, given.ptr(), raised.ptr(), nullptr);
  if (told == nullptr) throw_raised();
  Py_DECREF(told);
}

}  // namespace fastws::python
