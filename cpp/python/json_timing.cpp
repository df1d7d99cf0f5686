// What the JSON rooms cost, for benchmarks: CPU time of this thread around loops that stay native, so that a few dozen
// nanoseconds can be told apart and no contender pays for the interpreter's own loop.
//
// May know: the JSON rooms, build, encode. Promises: no result is freed and nothing is allocated for the measuring while
// the clock runs; every function holds the GIL for as long as it runs.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <time.h>

#include <string>
#include <string_view>
#include <vector>

#include "../json/reader.hpp"
#include "../json/scan.hpp"
#include "build.hpp"
#include "encode.hpp"

namespace py = pybind11;

namespace fastws::python {

namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

using Results = std::vector<py::object>;

/// Seconds for function(argument) on each argument.
double time_calls(const py::object& function, const std::vector<py::object>& arguments) {
  Results results(arguments.size());
  const double began = cpu_seconds();
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    PyObject* result = PyObject_CallOneArg(function.ptr(), arguments[index].ptr());
    if (result == nullptr) throw py::error_already_set();
    results[index] = py::reinterpret_steal<py::object>(result);
  }
  return cpu_seconds() - began;
}

/// Seconds for reading the texts into one tape (which needs no GIL), and for building their objects.
std::pair<double, double> time_reading(const std::vector<std::string>& texts) {
  static auto* reader = new json::Reader;  // both kept, as a client keeps them; the GIL is held
  static auto* builder = new Builder;
  static auto* tape = new json::Tape;
  std::vector<json::Document> documents(texts.size());
  Results results(texts.size());
  tape->clear();
  const double began = cpu_seconds();
  for (std::size_t index = 0; index < texts.size(); ++index)
    documents[index] = reader->append(*tape, texts[index]);
  const double read = cpu_seconds();
  for (std::size_t index = 0; index < texts.size(); ++index) {
    PyObject* result = builder->build(*tape, documents[index]);
    if (result == nullptr) throw py::error_already_set();
    results[index] = py::reinterpret_steal<py::object>(result);
  }
  return {read - began, cpu_seconds() - read};
}

/// Seconds for writing the objects as send() does: into a native text that each starts anew.
double time_writing(const std::vector<py::object>& objects) {
  const double began = cpu_seconds();
  for (const py::object& object : objects) {
    json::Text text;
    if (!encode(object.ptr(), nullptr, text)) throw py::error_already_set();
  }
  return cpu_seconds() - began;
}

/// Seconds for finding the route of every text, `times` over.
double time_scanning(const std::vector<std::string>& texts, const std::vector<std::string>& keys, int times) {
  std::string scratch;
  std::size_t found = 0;
  const double began = cpu_seconds();
  for (int round = 0; round < times; ++round) {
    for (const std::string& text : texts) {
      if (json::find_route(text, keys, scratch).kind == json::Route::Kind::found) ++found;
    }
  }
  const double seconds = cpu_seconds() - began;
  if (found != texts.size() * static_cast<std::size_t>(times)) throw py::value_error("a text has no route");
  return seconds;
}

}  // namespace

void bind_json_timing(py::module_& module) {
  using namespace py::literals;
  module.def("time_calls", &time_calls, "function"_a, "arguments"_a);
  module.def("time_reading", &time_reading, "texts"_a);
  module.def("time_writing", &time_writing, "objects"_a);
  module.def("time_scanning", &time_scanning, "texts"_a, "keys"_a, "times"_a);
}

}  // namespace fastws::python
