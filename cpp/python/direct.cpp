// Calling a slice's message handlers at once; see direct.hpp.
#include "direct.hpp"

#include <cstdint>
#include <cstring>

#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

std::size_t RouteNames::place_of(std::string_view route) noexcept {
  // Its first and last bytes: routes differ at one of the two ends, and a hash of all of it costs more than the comparison.
  const auto ends = [&route](auto part) {
    auto last = part;
    std::memcpy(&part, route.data(), sizeof part);
    std::memcpy(&last, route.data() + route.size() - sizeof last, sizeof last);
    return part * std::uint64_t{0x9e3779b97f4a7c15} ^ last;
  };
  std::uint64_t mixed = route.size();
  if (route.size() >= sizeof(std::uint64_t)) {
    mixed += ends(std::uint64_t{});
  } else if (route.size() >= sizeof(std::uint32_t)) {
    mixed += ends(std::uint32_t{});
  } else if (!route.empty()) {
    mixed += ends(std::uint8_t{});
  }
  return static_cast<std::size_t>((mixed * 0xff51afd7ed558ccd) >> (64 - place_bits));
}

PyObject* RouteNames::of(std::string_view route) {
  const auto made = [route] {
    return PyUnicode_DecodeUTF8(route.data(), static_cast<Py_ssize_t>(route.size()), "replace");
  };
  if (route.size() > longest) return made();
  if (last_->bytes == route && last_->text != nullptr) return Py_NewRef(last_->text);
  Name& name = *(last_ = &names_[place_of(route)]);
  if (name.text == nullptr || name.bytes != route) {
    PyObject* const text = made();
    if (text == nullptr) return nullptr;
    name.bytes.assign(route);
    Py_XSETREF(name.text, text);
  }
  return Py_NewRef(name.text);
}

py::object route_name(const client::Item& item) {
  static auto* const names = new RouteNames;  // outlives every Core, whenever that is freed
  if (!item.has_route()) return py::none();
  auto route = py::reinterpret_steal<py::object>(names->of(item.route_text()));
  if (!route) throw_raised();
  return route;
}

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
  static PyObject* const name = PyUnicode_InternFromString("removed");
  PyObject* const flag = PyObject_GetAttr(handler, name);
  if (flag == nullptr) throw_raised();
  const bool gone = flag == Py_True;
  Py_DECREF(flag);
  return gone;
}

std::optional<DirectCalls::Given> DirectCalls::call_one(PyObject* handler, PyObject* function,
                                                        PyObject* message) const {
  const auto result = py::reinterpret_steal<py::object>(PyObject_CallOneArg(function, message));
  if (result.is_none()) return std::nullopt;
  Given given{result ? result : py::none(), py::none()};
  if (!result) given.raised = take_raised();
  if (report_ == Py_None) return given;
  PyObject* const told = PyObject_CallFunctionObjArgs(report_, handler, message, given.result.ptr(),
                                                      given.raised.ptr(), nullptr);
  if (told == nullptr) throw_raised();
  Py_DECREF(told);
  return std::nullopt;
}

py::object DirectCalls::stop(PyObject* handler, PyObject* message, const Given& given, PyObject* pairs,
                             Py_ssize_t next) {
  const Py_ssize_t count = PyTuple_GET_SIZE(pairs);
  py::tuple left(static_cast<std::size_t>(count - next) / 2);
  for (Py_ssize_t index = next; index < count; index += 2) {
    PyTuple_SET_ITEM(left.ptr(), (index - next) / 2, Py_NewRef(PyTuple_GET_ITEM(pairs, index)));
  }
  return py::make_tuple(py::handle(handler), py::handle(message), given.result, given.raised, left);
}

}  // namespace fastws::python
