// The core's methods that are called for every message or every slice, bound without pybind11's loading of arguments, which
// would cost as much as the JSON of a small object.
//
// May know: the CPython API, Core. Promises: what pybind11 would have refused raises TypeError here, too.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

namespace fastws::python {

/// Binds Core.send_json, fetch, deliver, drained, is_over and quiet_bell.
void bind_fast_calls(const pybind11::handle& core_class);

/// A reader's two functions: (Core::next, Core::arrive), with the reader bound to them. They keep the core.
pybind11::tuple reader_calls(pybind11::object core, std::uint64_t reader);

}  // namespace fastws::python
