// What an object that is none of JSON's is to encode().
//
// May know: the CPython API. Promises: plain data, passed from those who know a type to the one who writes.
#pragma once

#include <Python.h>

#include <string>

#include "encode_stack.hpp"

namespace fastws::python {

struct Foreign {
  enum class Kind {
    kUnknown,
    kWritten,  // its JSON text and a comma have been appended
    kValue,    // `object` is to be written in its place
    kFields,   // a dataclass; `object` is its dict of fields
    kRefused,  // with `exception` and the reason
    kFailed,   // an exception is set
  };
  Kind kind = Kind::kUnknown;
  Owned object = nullptr;
  PyObject* exception = nullptr;  // borrowed
  std::string why = {};
  std::string where = {};  // inside the object, as "[3][1]"
};

}  // namespace fastws::python
