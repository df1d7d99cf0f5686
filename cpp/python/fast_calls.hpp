// The core's methods that are called for every message or every slice, bound without pybind11's loading of arguments, which
// would cost as much as the JSON of a small object.
//
// May know: the CPython API, Core. Promises: what pybind11 would have refused raises TypeError here, too.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>
#include <vector>

namespace fastws::python {

/// Binds Core.send_json, fetch, deliver, drained, is_over and quiet_bell.
void bind_fast_calls(const pybind11::handle& core_class);

/// Opens a reader: (its number, Core::next, Core::next_many), with the reader bound to the functions. They keep the core, and
/// the reader is closed with the last of them at the latest.
pybind11::tuple open_reader(const pybind11::object& core,
                            const std::optional<std::vector<std::string>>& routes);

}  // namespace fastws::python
