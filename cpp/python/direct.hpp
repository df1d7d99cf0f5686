// Calling a slice's message handlers at once, message by message, while the GIL is held anyway.
//
// May know: pybind11, the CPython API, the inbox's items. Promises: what the table of handlers says stands for every single message, so a
// handler that was removed is not called again; an exception or an unusual result is told to Python and stops nothing.
#pragma once

#include <pybind11/pybind11.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "../client/slab.hpp"

namespace fastws::python {

/// The str of routes, made once for those that come again and again. One for the process, with the GIL only.
class RouteNames {
 public:
  /// A new reference, or nullptr with an exception set.
  PyObject* of(std::string_view route);

 private:
  static std::size_t place_of(std::string_view route) noexcept;

  static constexpr std::size_t longest = 64;  // bytes; a longer one is made each time
  static constexpr unsigned place_bits = 8;
  struct Name {
    std::string bytes;
    PyObject* text = nullptr;  // owned
  };
  std::array<Name, std::size_t{1} << place_bits> names_;  // a hostile server can fill it, and no more
  Name* last_ = names_.data();                            // many a message is like the one before it
};

/// A message's route as a str, None where it has none.
pybind11::object route_name(const client::Item& item);

/// What handles the messages of one slice, as fastws._handlers keeps it.
class DirectCalls {
 public:
  /// `plans`: a dict, route -> (handler, function, handler, function, ...) or None; `plan_of`: called with a route that the
  /// dict lacks, gives the same; `report`: called with (handler, message, result or None, exception or None) when a handler
  /// gave something or raised; None: the slice stops there.
  DirectCalls(PyObject* plans, PyObject* plan_of, PyObject* report) noexcept
      : plans_(plans), plan_of_(plan_of), report_(report) {}

  /// The functions for a route, to be called with the message alone; None = its handlers want more than that.
  [[nodiscard]] pybind11::object plan(PyObject* route) const;
  /// Calls them in turn while `goes_on()`. Where the slice stops, it gives what `report` would have been called with, and
  /// behind that a tuple of the handlers that are left.
  template <class GoesOn>
  pybind11::object call(const pybind11::object& plan, PyObject* message, const GoesOn& goes_on) const {
    PyObject* const pairs = plan.ptr();
    const Py_ssize_t count = PyTuple_GET_SIZE(pairs);
    for (Py_ssize_t index = 0; index < count; index += 2) {
      PyObject* const handler = PyTuple_GET_ITEM(pairs, index);
      // The first one, too: reading the message may have let others run, who have closed the client or taken the handler off.
      if (!goes_on() || removed(handler)) continue;
      const auto given = call_one(handler, PyTuple_GET_ITEM(pairs, index + 1), message);
      if (given) return stop(handler, message, *given, pairs, index + 2);
    }
    return {};
  }

 private:
  static bool removed(PyObject* handler);
  struct Given {
    pybind11::object result;  // None when it raised
    pybind11::object raised;  // None when it gave something
  };

  /// What has to be dealt with before the next handler is called; nullopt = nothing.
  std::optional<Given> call_one(PyObject* handler, PyObject* function, PyObject* message) const;
  static pybind11::object stop(PyObject* handler, PyObject* message, const Given& given, PyObject* pairs,
                               Py_ssize_t next);

  PyObject* plans_;  // borrowed from the caller, as the others
  PyObject* plan_of_;
  PyObject* report_;
};

}  // namespace fastws::python
