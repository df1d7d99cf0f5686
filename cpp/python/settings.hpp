// From Python's plain values to the core's options: what fastws._settings.core_config() gives.
//
// May know: pybind11, the value types of the core. Promises: with the GIL; a wrong value raises and names its key.
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <string>

#include "../client/client.hpp"

namespace fastws::python {

client::Options options_from(const pybind11::dict& config);
/// Checks besides what the options say of this URL.
client::Target target_from(const std::optional<std::string>& url, const pybind11::handle& headers,
                           const client::Options& options);
Headers headers_from(const pybind11::handle& pairs);

}  // namespace fastws::python
