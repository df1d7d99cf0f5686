// The extension module `fastws._core`: a table of contents.
//
//   core.*            Core, one client's native half            core_reading.*   messages out of the inbox
//   core_sending.*    messages, flush, sticky messages, Ping
//   core_loop.cpp     what an event loop needs of a Core
//   settings.*        settings in                               convert.*        events and counters out
//   natively.*        leaving Python through the gate           raised.*         exceptions on their way to Python
//   build.*           tape -> objects                           encode.*         objects -> JSON
//   json_module.cpp   loads, dumps, find_route for tests        policy_module.cpp   the state machine for tests
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <atomic>

#include "../client/process.hpp"
#include "../net/trust.hpp"
#include "../net/url.hpp"
#include "../net/versions.hpp"
#include "convert.hpp"
#include "core.hpp"
#include "fast_calls.hpp"
#include "loop_wakeup.hpp"
#include "natively.hpp"
#include "settings.hpp"

namespace py = pybind11;

namespace fastws::python {

void bind_json(py::module_& module);
void bind_json_timing(py::module_& module);
void bind_policy(py::module_& module);

namespace {

std::atomic<unsigned long> main_thread{0};

void bind_process(py::module_& module) {
  client::watch_forks();
  module.def("before_fork", [] {
    const py::gil_scoped_release released;
    client::before_fork();
  });
  module.def("after_fork_in_parent", [] { client::after_fork_in_parent(); });
  module.def("after_fork_in_child", [] {
    note_main_thread();  // whoever forked is the child's main thread
    client::after_fork_in_child();
  });
  module.def("shutdown", [](double grace, double join) {
    const py::gil_scoped_release released;
    client::shut_down(grace, join);
  });
  module.def("parse_url", [](const std::string& text) {
    const net::Url url = net::parse_url(text);
    py::dict parts;
    parts["secure"] = url.secure;
    parts["host"] = url.host;
    parts["port"] = url.port;
    parts["resource"] = url.resource;
    parts["user"] = url.user;
    parts["password"] = url.password;
    parts["shown"] = url.shown();
    return parts;
  });
  module.def(
      "find_trust",
      [](const std::string& root) {
        const net::Trust trust = net::find_trust(net::this_system(root));
        return std::make_pair(trust.file, trust.folder);
      },
      py::arg("root") = "");
}

}  // namespace

void note_main_thread() noexcept { main_thread.store(PyThread_get_thread_ident()); }

bool on_main_thread() noexcept { return PyThread_get_thread_ident() == main_thread.load(); }

std::optional<double> slice_end(std::optional<double> until) {
  if (!on_main_thread()) return until;
  const double slice = net::monotonic_now() + 0.05;
  return until && *until < slice ? until : slice;
}

std::optional<double> deadline_after(std::optional<double> timeout) {
  if (!timeout) return std::nullopt;
  return net::monotonic_now() + *timeout;
}

void check_signals() {
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

void bind_core(py::module_& module) {
  using namespace py::literals;
  py::class_<client::Client::Flushing>(module, "Flushing");
  py::class_<LoopWakeup>(module, "LoopWakeup")
      .def(py::init<>())
      .def_property_readonly("descriptor", &LoopWakeup::descriptor)
      .def("answer", &LoopWakeup::answer);
  py::class_<client::Options, std::shared_ptr<client::Options>>(module, "Options")
      .def(py::init(&options_from), "config"_a);
  py::class_<Core> core(module, "Core");
  core.def(py::init<const std::optional<std::string>&, const py::object&, std::shared_ptr<client::Options>,
                    Core*>(),
           "url"_a, "headers"_a, "options"_a, "replaces"_a = nullptr)
      .def("connect", &Core::connect)
      .def("reconnect", &Core::reconnect)
      .def("close", &Core::close)
      .def("destroy", &Core::destroy)
      .def_property_readonly("state", &Core::state)
      .def_property_readonly("life", &Core::life)
      .def_property_readonly("epoch", &Core::epoch)
      .def_property_readonly("tried_epoch", &Core::tried_epoch)
      .def_property_readonly("handler_seconds", &Core::handler_seconds)
      .def_property_readonly("connects", &Core::connects)
      .def_property_readonly("url", &Core::url)
      .def_property_readonly("subprotocol", &Core::subprotocol)
      .def_property_readonly("latency", &Core::latency)
      .def("outcome", &Core::outcome)
      .def("last_failure", &Core::last_failure)
      .def("stats", &Core::stats)
      .def("flush_record", &Core::flush_record)
      .def("version", &Core::version)
      .def("wait_change", &Core::wait_change)
      .def("send_text", &Core::send_text, "text"_a, "epoch"_a, "wait"_a = true, "of"_a = 0)
      .def("send_bytes", &Core::send_bytes, "data"_a, "epoch"_a, "wait"_a = true, "of"_a = 0)
      .def("send_many", &Core::send_many)
      .def("flush", &Core::flush)
      .def("send_some", &Core::send_some)
      .def("begin_flush", &Core::begin_flush)
      .def("flushed", &Core::flushed)
      .def("ping", &Core::ping)
      .def("begin_ping", &Core::begin_ping)
      .def("pong", &Core::pong)
      .def("set_sticky", &Core::set_sticky)
      .def("unset_sticky", &Core::unset_sticky)
      .def("expect_release", &Core::expect_release)
      .def("release", &Core::release)
      .def("handle", &Core::handle)
      .def("dispatching", &Core::dispatching)
      .def("take", &Core::take)
      .def("admit", &Core::admit)
      .def("nudge", &Core::nudge)
      .def("open_bell", &Core::open_bell, "wakeup"_a, "number"_a)
      .def("close_bell", &Core::close_bell)
      .def("open_reader", &open_reader)
      .def("close_reader", &Core::close_reader)
      .def("next_ask", &Core::next_ask)
      .def("provide", &Core::provide)
      .def("provide_failed", &Core::provide_failed)
      .def("answer", &Core::answer);
  bind_fast_calls(core);
  module.attr("Refused") = refused_class();
  module.attr("NOTHING") = nothing();
  module.attr("HANDLERS") = client::Inbox::handlers_lane;
  module.attr("EVENT") = static_cast<int>(item_event);
  module.attr("JSON") = static_cast<int>(item_json);
  module.attr("TEXT") = static_cast<int>(item_text);
  module.attr("BINARY") = static_cast<int>(item_binary);
  module.attr("BAD") = static_cast<int>(item_bad);
  py::dict build_info;
  build_info["asio"] = net::asio_version();
  build_info["openssl"] = net::openssl_version();
  build_info["pybind11"] =
      PYBIND11_TOSTRING(PYBIND11_VERSION_MAJOR) "." PYBIND11_TOSTRING(PYBIND11_VERSION_MINOR);
  build_info["compiler"] = __VERSION__;
  module.attr("build_info") = build_info;
  bind_process(module);
}

}  // namespace fastws::python

PYBIND11_MODULE(_core, module) {
  using namespace fastws::python;
  note_main_thread();
  bind_core(module);
  bind_json(module);
  bind_json_timing(module);
  bind_policy(module);
}
