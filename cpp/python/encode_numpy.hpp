// NumPy's arrays and scalars -> JSON text, without NumPy's headers.
//
// May know: json/writer, the CPython API with its buffer protocol. Promises: nothing happens in a process that has not
// imported numpy; numbers are read from the array's own memory, whatever its strides. Runs NumPy's code: the caller holds
// what it needs.
#pragma once

#include <Python.h>

#include "../json/text.hpp"
#include "encode_foreign.hpp"

namespace fastws::python {

/// Arrays (of exactly numpy.ndarray: a mask or a unit of a subclass would be lost) as nested lists, scalars as numbers:
/// bool_, the sized integers, float16, float32 and float64 (a float32 and a float16 in the digits that a float32 needs),
/// datetime64 as RFC 3339 without an offset (cut to microseconds; NaT is null). Arrays of objects and of strings are written
/// as what tolist() gives. Others are kUnknown.
Foreign encode_numpy(PyObject* object, json::Text& out);

}  // namespace fastws::python
