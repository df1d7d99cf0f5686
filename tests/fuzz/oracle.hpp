// Python in the fuzz targets' own process, and what its json says of a text: what every input is judged by.
//
// May know: the CPython API. Promises: the interpreter lives as long as the process, with every object in a block of malloc's
// own, so that AddressSanitizer sees a read past a str; a disagreement is printed and ends the process with abort().
#pragma once

#include <Python.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace fastws::fuzz {

struct DropReference {
  void operator()(PyObject* object) const noexcept { Py_DECREF(object); }
};
using Owned = std::unique_ptr<PyObject, DropReference>;

/// Once, before everything else.
void start_python();

/// `name` of a Python module; a module beside this file is found, too.
Owned imported(const char* module, const char* name);

/// The bytes as text; without `repair` nullptr where they are not UTF-8, with it U+FFFD in their place.
Owned decoded(std::string_view bytes, bool repair);
/// The UTF-8 of a text that has one.
std::string_view utf8_of(PyObject* text);

/// An object, or the exception instead of one. Taking it clears the exception.
struct Outcome {
  Owned object;
  Owned error;
};
Outcome outcome(PyObject* new_reference);
Outcome json_loads(PyObject* text);

/// Equality without Python's tolerance: types, signs of zero, nan, the order of keys, how a str is stored. Of exceptions: the
/// class, the text, the position.
bool same(const Outcome& one, const Outcome& other);

/// `str(error)`.
std::string message_of(PyObject* error);
/// What was wanted and what came, and the end.
[[noreturn]] void disagree(const char* what, const Outcome& wanted, const Outcome& came);
void must(bool holds, const char* what);

/// At the end of every input: looks now and then whether what earlier inputs made is gone.
void look_for_leaks();

}  // namespace fastws::fuzz
