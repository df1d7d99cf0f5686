// json.loads itself, for the texts that the reader leaves to it.
//
// May know: the CPython API, the thread's native stack. Promises: what json.loads makes of the text, or its exception; and
// RecursionError in place of an overflow of the stack, which json.loads up to Python 3.13 risks: it goes one call deeper for
// each level of nesting, and counts levels without knowing how large the stack is.
#pragma once

#include <Python.h>

#include <string_view>

namespace fastws::python {

/// A new reference, or nullptr with an exception set. `text` is UTF-8.
PyObject* python_loads(std::string_view text);

}  // namespace fastws::python
