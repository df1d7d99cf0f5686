// From the core's values to Python's plain ones: notices, failures, questions and counters.
//
// May know: pybind11, the value types of the core. Promises: with the GIL; whatever bytes a server sent, they become a str.
#pragma once

#include <pybind11/pybind11.h>

#include "../client/client.hpp"

namespace fastws::python {

pybind11::tuple item_from(const client::Notice& notice);  // (EVENT, name, fields)
pybind11::dict fields_from(const Failure& failure);
pybind11::dict fields_from(const client::Question& question);
pybind11::dict fields_from(const client::InboxCounts& counts, const client::Client& client);

const char* name(policy::State state) noexcept;
const char* name(policy::ClosedReason reason) noexcept;
policy::Event::Kind event_kind(const std::string& name);

/// The kinds of an item, as _core.pyi names them.
enum ItemKind : int { item_event, item_json, item_text, item_binary, item_bad };

}  // namespace fastws::python
