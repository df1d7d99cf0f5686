// Python objects -> JSON text, with the GIL.
//
// May know: json/writer, the CPython API. Promises: types and bytes of api section 5; cycles and depth end in
// ValueError / RecursionError; what cannot be written raises TypeError or ValueError that names it; no half
// output is kept.
#pragma once

#include <Python.h>

#include "../json/text.hpp"

namespace fastws::python {

/// Writes the JSON of `object` into `out`, which is empty. `default_hook`: a callable or nullptr. False = an exception is set
/// and what `out` holds is of no use.
bool encode(PyObject* object, PyObject* default_hook, json::Text& out);

}  // namespace fastws::python
