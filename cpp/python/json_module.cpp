// The JSON rooms without a connection, for tests: `_core.loads`, `dumps`, `find_route`, `read_route`,
// `parsed_natively`.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "../json/reader.hpp"
#include "../json/scan.hpp"
#include "build.hpp"
#include "encode.hpp"
#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

namespace {

/// The UTF-8 of a str or bytes; a str with lone surrogates has none and raises UnicodeEncodeError.
std::string utf8_of(const py::object& text) {
  if (PyUnicode_Check(text.ptr())) {
    Py_ssize_t size = 0;
    const char* data = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
    if (data == nullptr) throw_raised();
    return {data, static_cast<std::size_t>(size)};
  }
  return text.cast<std::string>();
}

py::object loads(const py::object& text) {
  static auto* reader = new json::Reader;  // the GIL is held
  static auto* builder = new Builder;
  json::Tape tape;
  const json::Document document = reader->append(tape, utf8_of(text));
  PyObject* built = builder->build(tape, document);
  if (built == nullptr) throw_raised();
  return py::reinterpret_steal<py::object>(built);
}

bool parsed_natively(const py::object& text) {
  json::Reader reader;
  json::Tape tape;
  return !reader.append(tape, utf8_of(text)).fallback;
}

py::str dumps(const py::object& object, const py::object& default_hook) {
  json::Text out;
  if (!encode(object.ptr(), default_hook.is_none() ? nullptr : default_hook.ptr(), out)) {
    throw_raised();
  }
  return {out.view().data(), out.view().size()};
}

py::tuple told(const json::Route& route) {
  switch (route.kind) {
    case json::Route::Kind::found: return py::make_tuple("found", std::string(route.value));
    case json::Route::Kind::unreadable: return py::make_tuple("unreadable", py::none());
    case json::Route::Kind::none: break;
  }
  return py::make_tuple("none", py::none());
}

py::tuple find_route(const py::object& text, const std::vector<std::string>& keys) {
  std::string scratch;
  const std::string utf8 = utf8_of(text);
  return told(json::find_route(utf8, keys, scratch));
}

/// The route that is told by the reader, which parses the whole text for it.
py::tuple read_route(const py::object& text, const std::vector<std::string>& keys) {
  std::string scratch;
  const std::string utf8 = utf8_of(text);
  json::Reader reader;
  json::Tape tape;
  json::Route route;
  reader.append(tape, utf8, keys, route, scratch);
  return told(route);
}

}  // namespace

void bind_json(py::module_& module) {
  using namespace py::literals;
  module.def("loads", &loads, "text"_a);
  module.def("dumps", &dumps, "obj"_a, "default"_a = py::none());
  module.def("parsed_natively", &parsed_natively, "text"_a);
  module.def("find_route", &find_route, "text"_a, "keys"_a);
  module.def("read_route", &read_route, "text"_a, "keys"_a);
}

}  // namespace fastws::python
