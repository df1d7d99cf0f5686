// Python objects -> JSON text, with the GIL.
//
// May know: json/writer, the CPython API. Promises: types and bytes of api section 5; cycles and depth end in
// ValueError / RecursionError; what cannot be written raises TypeError or ValueError that names it; no half
// output is kept.
#pragma once

#include <Python.h>

#include <string>

namespace fastws::python {

/// Appends the JSON of `object` to `out`. `default_hook`: a callable or nullptr. False = an exception is set
/// and `out` is as it was.
bool encode(PyObject* object, PyObject* default_hook, std::string& out);

}  // namespace fastws::python
