// The types of the standard library that JSON does not know, as orjson writes them.
//
// May know: json/writer, the CPython API. Promises: datetime, date, time and UUID only of exactly these
// classes, every Enum, every dataclass instance. May run Python code (tzinfo, imports): the caller holds what
// it needs.
#pragma once

#include <Python.h>

#include "../json/writer.hpp"
#include "encode_stack.hpp"

namespace fastws::python {

/// What an object of another type is to encode().
struct Foreign {
  enum class Kind {
    kUnknown,
    kWritten,   // its JSON text and a comma have been appended
    kValue,     // `object` is to be written in its place
    kFields,    // a dataclass; `object` is its dict of fields
    kTimeZone,  // a time with a time zone: refused
    kFailed,    // an exception is set
  };
  Kind kind = Kind::kUnknown;
  Owned object = nullptr;
};

Foreign encode_foreign(PyObject* object, json::Text& out);

/// The value of a dataclass's field. kUnknown: it is not to be written (private, unset, or not a field of
/// instances).
Foreign field_value(PyObject* instance, PyObject* name, PyObject* field);

}  // namespace fastws::python
