// The types of the standard library that JSON does not know, as orjson writes them.
//
// May know: json/text, the CPython API. Promises: datetime, date, time and UUID only of exactly these classes, every Enum,
// every dataclass instance; others are asked of encode_numpy. May run Python code (tzinfo, imports): the caller holds what it
// needs.
#pragma once

#include <Python.h>

#include "../json/text.hpp"
#include "encode_foreign.hpp"

namespace fastws::python {

Foreign encode_foreign(PyObject* object, json::Text& out);

/// The value of a dataclass's field. kUnknown: it is not to be written (private, unset, or not a field of
/// instances).
Foreign field_value(PyObject* instance, PyObject* name, PyObject* field);

}  // namespace fastws::python
