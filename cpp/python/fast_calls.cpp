// Arguments by hand: a few comparisons instead of a walk through pybind11's casters.
#include "fast_calls.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "core.hpp"
#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

namespace {

using Arguments = PyObject* const*;

[[noreturn]] void refuse(const char* why) {
  PyErr_SetString(PyExc_TypeError, why);
  throw_raised();
}

Core& core_of(PyObject* self) {
  auto* const core = reinterpret_cast<py::detail::instance*>(self)->get_value_and_holder().value_ptr<Core>();
  if (core == nullptr) refuse("this Core was not made by its constructor");
  return *core;
}

void expect(bool count_is_right, const char* words) {
  if (!count_is_right) refuse(words);
}

std::uint64_t number_of(PyObject* argument) {
  const unsigned long long number = PyLong_AsUnsignedLongLong(argument);
  if (number == static_cast<unsigned long long>(-1) && PyErr_Occurred() != nullptr) throw_raised();
  return number;
}

double seconds_of(PyObject* argument) {
  const double seconds = PyFloat_AsDouble(argument);
  if (seconds == -1.0 && PyErr_Occurred() != nullptr) throw_raised();
  return seconds;
}

std::optional<double> timeout_of(PyObject* argument) {
  if (argument == Py_None) return std::nullopt;
  return seconds_of(argument);
}

// --- Methods of Core -------------------------------------------------------------------------------------------------

PyObject* call_send_json(PyObject* self, Arguments arguments, Py_ssize_t count) {
  return made_or_raised([&]() -> py::object {
    expect(count == 3 || count == 4, "send_json takes an object, a default, an epoch, and whether to wait");
    const bool wait = count == 3 || arguments[3] == Py_True;
    const auto sent = core_of(self).send_json(arguments[0], arguments[1], number_of(arguments[2]), wait);
    return sent ? py::object(py::bool_(*sent)) : py::none();
  });
}

PyObject* call_fetch(PyObject* self, Arguments arguments, Py_ssize_t count) {
  return made_or_raised([&]() -> py::object {
    expect(count == 3, "fetch takes a lane, a limit and a timeout");
    const auto fetched =
        core_of(self).fetch(number_of(arguments[0]), number_of(arguments[1]), timeout_of(arguments[2]));
    return fetched ? py::object(py::int_(*fetched)) : py::none();
  });
}

PyObject* call_deliver(PyObject* self, Arguments arguments, Py_ssize_t count) {
  return made_or_raised([&] {
    expect(count == 4 && PyDict_Check(arguments[1]),
           "deliver takes seconds, a dict of plans, who plans and who is told");
    return core_of(self).deliver(seconds_of(arguments[0]), arguments[1], arguments[2], arguments[3]);
  });
}

PyObject* call_drained(PyObject* self, PyObject*) {
  return made_or_raised([&] { return py::bool_(core_of(self).drained()); });
}

PyObject* call_is_over(PyObject* self, PyObject*) {
  return made_or_raised([&] { return py::bool_(core_of(self).is_over()); });
}

PyObject* call_quiet_bell(PyObject* self, PyObject*) {
  return made_or_raised([&] {
    core_of(self).quiet_bell();
    return py::none();
  });
}

template <class Function>
PyCFunction as_function(Function* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef methods[] = {
    {"send_json", as_function(call_send_json), METH_FASTCALL, nullptr},
    {"fetch", as_function(call_fetch), METH_FASTCALL, nullptr},
    {"deliver", as_function(call_deliver), METH_FASTCALL, nullptr},
    {"drained", call_drained, METH_NOARGS, nullptr},
    {"is_over", call_is_over, METH_NOARGS, nullptr},
    {"quiet_bell", call_quiet_bell, METH_NOARGS, nullptr},
};

// --- A reader's functions --------------------------------------------------------------------------------------------

struct Reading {
  py::object kept;
  Core* core;
  std::uint64_t reader;

  Reading(py::object of, std::uint64_t number)
      : kept(std::move(of)), core(kept.cast<Core*>()), reader(number) {}
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() {
    // Whoever forgot to, or was interrupted between opening it and noting that: it would take messages that nobody reads.
    const py::error_scope scope;
    core->close_reader(reader);
  }
};

Reading& reading_of(PyObject* capsule) {
  auto* const reading = static_cast<Reading*>(PyCapsule_GetPointer(capsule, nullptr));
  if (reading == nullptr) throw_raised();
  return *reading;
}

PyObject* call_next(PyObject* capsule, PyObject* bad) {
  return made_or_raised([&] {
    const Reading& reading = reading_of(capsule);
    return reading.core->next(reading.reader, py::reinterpret_borrow<py::object>(bad));
  });
}

PyObject* call_next_many(PyObject* capsule, Arguments arguments, Py_ssize_t count) {
  return made_or_raised([&] {
    expect(count == 2, "a reader's second function takes who is told and a limit");
    const Reading& reading = reading_of(capsule);
    return reading.core->next_many(reading.reader, py::reinterpret_borrow<py::object>(arguments[0]),
                                   number_of(arguments[1]));
  });
}

PyMethodDef next_function = {"next", call_next, METH_O, nullptr};
PyMethodDef next_many_function = {"next_many", as_function(call_next_many), METH_FASTCALL, nullptr};

py::object function_of(PyMethodDef& definition, const py::capsule& reading) {
  auto function = py::reinterpret_steal<py::object>(PyCFunction_New(&definition, reading.ptr()));
  if (!function) throw_raised();
  return function;
}

}  // namespace

void bind_fast_calls(const py::handle& core_class) {
  auto* const type = reinterpret_cast<PyTypeObject*>(core_class.ptr());
  for (PyMethodDef& definition : methods) {
    const auto method = py::reinterpret_steal<py::object>(PyDescr_NewMethod(type, &definition));
    if (!method) throw_raised();
    core_class.attr(definition.ml_name) = method;
  }
}

py::tuple open_reader(const py::object& core, const std::optional<std::vector<std::string>>& routes) {
  const std::uint64_t reader = core.cast<Core&>().open_reader(routes);
  auto made = std::make_unique<Reading>(core, reader);
  const py::capsule capsule(made.get(), [](void* gone) { delete static_cast<Reading*>(gone); });
  static_cast<void>(made.release());
  return py::make_tuple(reader, function_of(next_function, capsule),
                        function_of(next_many_function, capsule));
}

}  // namespace fastws::python
