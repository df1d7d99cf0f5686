// The state machine, the delivery filter and the arithmetic of waiting as `fastws._core._policy`, for tests only.
//
// May know: pybind11 and policy. Promises: nothing is decided here; effects and events come out as plain tuples and
// dicts that hold only the fields of their kind; an unknown setting or name raises.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <string>
#include <utility>

#include "../policy/delivery.hpp"
#include "../policy/lifecycle.hpp"
#include "../policy/verdict.hpp"

namespace py = pybind11;

namespace fastws::python {

void bind_policy(py::module_& module);

namespace {

using policy::Backoff;
using policy::Draw;
using policy::Effect;
using policy::Event;
using policy::Lifecycle;
using policy::Seconds;

// Each list is in the order of its enumeration.
constexpr std::array states = {"idle", "connecting", "open", "backoff", "closing", "closed", "destroyed"};
constexpr std::array reasons = {"none", "user", "fatal", "exhausted", "server"};
constexpr std::array initiators = {"server", "network", "liveness", "user", "client"};
constexpr std::array effects = {"start", "abort", "send_close", "ping", "ask"};
constexpr std::array kinds = {"connecting", "connect", "disconnect", "reconnecting", "error", "closed"};
constexpr std::array phases = {"none",     "resolve", "tcp",     "proxy",    "tls",   "http",  "timeout",
                               "provider", "decode",  "handler", "protocol", "limit", "record"};

template <class Enum, std::size_t Count>
std::string name_in(const std::array<const char*, Count>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

template <class Enum, std::size_t Count>
Enum value_in(const std::array<const char*, Count>& names, const std::string& name) {
  for (std::size_t at = 0; at < Count; ++at) {
    if (name == names[at]) return static_cast<Enum>(at);
  }
  throw py::value_error("no such name: " + name);
}

/// Moves the named fields of `given` into C++ variables; finish() raises for what nobody asked for.
class Fields {
 public:
  explicit Fields(const py::dict& given) : left_(given.attr("copy")()) {}

  template <class Value>
  Fields& take(const char* name, Value& into) {
    if (left_.contains(name)) into = left_.attr("pop")(name).cast<Value>();
    return *this;
  }

  void finish() const {
    if (!left_.empty()) throw py::type_error("unknown: " + py::str(left_).cast<std::string>());
  }

 private:
  py::dict left_;
};

void take_backoff(Fields& fields, Backoff& backoff) {
  fields.take("base", backoff.base).take("factor", backoff.factor).take("cap", backoff.cap);
  fields.take("jitter", backoff.jitter).take("min_uptime", backoff.min_uptime);
  fields.take("max_retries", backoff.max_retries).take("max_elapsed", backoff.max_elapsed);
  fields.take("close_code_delay", backoff.close_code_delay)
      .take("fatal_close_codes", backoff.fatal_close_codes);
  fields.take("retry_after_cap", backoff.retry_after_cap);
}

Backoff backoff_from(const py::dict& given) {
  Backoff backoff;
  Fields fields(given);
  take_backoff(fields, backoff);
  fields.finish();
  return backoff;
}

policy::Settings settings_from(const py::dict& given) {
  policy::Settings settings;
  Fields fields(given);
  take_backoff(fields, settings.backoff);
  fields.take("reconnect", settings.reconnect).take("has_provider", settings.has_provider);
  fields.take("asks", settings.asks).take("connect_timeout", settings.connect_timeout);
  fields.take("close_timeout", settings.close_timeout).take("ping_interval", settings.ping_interval);
  fields.take("pong_timeout", settings.pong_timeout);
  fields.finish();
  return settings;
}

Failure failure_from(const py::dict& given) {
  Failure failure;
  std::string phase = "tcp";
  Fields fields(given);
  fields.take("phase", phase).take("message", failure.message).take("definitive", failure.definitive);
  fields.take("http_status", failure.http_status).take("retry_after", failure.retry_after);
  fields.finish();
  failure.phase = value_in<Phase>(phases, phase);
  return failure;
}

policy::Loss loss_from(const py::dict& given) {
  policy::Loss loss;
  std::string initiator = "network";
  Fields fields(given);
  fields.take("code", loss.code)
      .take("reason", loss.reason)
      .take("clean", loss.clean)
      .take("initiator", initiator);
  fields.finish();
  loss.initiator = value_in<policy::Initiator>(initiators, initiator);
  return loss;
}

py::dict fields_of(const Failure& failure) {
  py::dict fields;
  fields["phase"] = name_in(phases, failure.phase);
  fields["message"] = failure.message;
  fields["definitive"] = failure.definitive;
  fields["http_status"] = failure.http_status;
  fields["retry_after"] = failure.retry_after;
  return fields;
}

py::tuple as_tuple(const Effect& effect) {
  const std::string name = name_in(effects, effect.kind);
  if (effect.kind != Effect::Kind::send_close) return py::make_tuple(name, effect.epoch);
  return py::make_tuple(name, effect.epoch, effect.code, effect.reason);
}

py::dict as_dict(const Event& event) {
  py::dict fields;
  fields["kind"] = name_in(kinds, event.kind);
  fields["life"] = event.life;
  fields["epoch"] = event.epoch;
  switch (event.kind) {
    case Event::Kind::connecting: fields["attempt"] = event.attempt; break;
    case Event::Kind::connect:
      fields["attempt"] = event.attempt;
      fields["is_reconnect"] = event.is_reconnect;
      fields["downtime"] = event.downtime;
      break;
    case Event::Kind::disconnect:
      fields["code"] = event.code;
      fields["reason"] = event.reason;
      fields["clean"] = event.clean;
      fields["initiator"] = name_in(initiators, event.initiator);
      fields["uptime"] = event.uptime;
      fields["will_reconnect"] = event.will_reconnect;
      break;
    case Event::Kind::reconnecting:
      fields["attempt"] = event.attempt;
      fields["delay"] = event.delay;
      fields["at"] = event.at;
      fields["after_connection"] = event.after_connection;
      break;
    case Event::Kind::error:
      fields["attempt"] = event.attempt;
      fields["fatal"] = event.fatal;
      fields["failure"] = fields_of(event.failure);
      break;
    case Event::Kind::closed:
      fields["reason"] = name_in(reasons, event.closed_reason);
      fields["code"] = event.code;
      fields["failure"] =
          event.failure.phase == Phase::none ? py::object(py::none()) : fields_of(event.failure);
      break;
  }
  return fields;
}

/// False = stop, a number = that delay, None = the default.
policy::Answer answer_from(const py::object& given) {
  policy::Answer answer;
  if (given.is(py::bool_(false))) {
    answer.stop = true;
  } else if (!given.is_none()) {
    answer.delay = given.cast<double>();
  }
  return answer;
}

Draw draw_from(const std::pair<double, double>& drawn) { return {drawn.first, drawn.second}; }

void bind_lifecycle(py::module_& module) {
  using Drawn = std::pair<double, double>;
  py::class_<Lifecycle>(module, "Lifecycle")
      .def(py::init([](const py::kwargs& settings) { return Lifecycle(settings_from(settings)); }))
      .def("connect", &Lifecycle::connect)
      .def("reconnect", &Lifecycle::reconnect)
      .def("close", &Lifecycle::close)
      .def("destroy", &Lifecycle::destroy)
      .def("dialing", &Lifecycle::dialing)
      .def("opened", &Lifecycle::opened)
      .def("failed",
           [](Lifecycle& self, Seconds now, std::uint64_t epoch, const py::dict& failure,
              const Drawn& drawn) { self.failed(now, epoch, failure_from(failure), draw_from(drawn)); })
      .def("lost", [](Lifecycle& self, Seconds now, std::uint64_t epoch, const py::dict& loss,
                      const Drawn& drawn) { self.lost(now, epoch, loss_from(loss), draw_from(drawn)); })
      .def("answered", [](Lifecycle& self, Seconds now, std::uint64_t epoch,
                          const py::object& answer) { self.answered(now, epoch, answer_from(answer)); })
      .def("timer",
           [](Lifecycle& self, Seconds now, Seconds last_received, bool reading_paused, bool slept,
              const Drawn& drawn) {
             self.timer(now, {last_received, reading_paused, slept}, draw_from(drawn));
           })
      .def_property_readonly("state", [](const Lifecycle& self) { return name_in(states, self.state()); })
      .def_property_readonly("epoch", &Lifecycle::epoch)
      .def_property_readonly("life", &Lifecycle::life)
      .def_property_readonly("deadline", &Lifecycle::deadline)
      .def_property_readonly("restarts",
                             [](const Lifecycle& self) { return self.intent() == policy::Intent::restart; })
      .def_property_readonly("closed_reason",
                             [](const Lifecycle& self) { return name_in(reasons, self.closed_reason()); })
      .def_property_readonly("failures", &Lifecycle::failures)
      .def_property_readonly("last_failure",
                             [](const Lifecycle& self) { return fields_of(self.last_failure()); })
      .def("take_effects",
           [](Lifecycle& self) {
             py::list taken;
             for (const Effect& effect : self.take_effects()) taken.append(as_tuple(effect));
             return taken;
           })
      .def("take_events", [](Lifecycle& self) {
        py::list taken;
        for (const Event& event : self.take_events()) taken.append(as_dict(event));
        return taken;
      });
}

void bind_functions(py::module_& module) {
  module.def("longest_delay", [](std::uint32_t failures, const py::kwargs& backoff) {
    return policy::longest_delay(backoff_from(backoff), failures);
  });
  module.def("delay", [](std::uint32_t failures, double drawn, const py::kwargs& backoff) {
    return policy::delay(backoff_from(backoff), failures, drawn);
  });
  module.def("judge", [](const py::dict& failure, bool ever_opened, bool has_provider) {
    return policy::judge(failure_from(failure), ever_opened, has_provider) == policy::Verdict::stop ? "stop"
                                                                                                    : "retry";
  });
  module.def("close_code_floor",
             [](std::uint16_t code, double jitter, double hint, const py::kwargs& backoff) {
               return policy::close_code_floor(backoff_from(backoff), code, jitter, hint);
             });
  module.def("retry_after_floor", [](double asked, double hint, const py::kwargs& backoff) {
    return policy::retry_after_floor(backoff_from(backoff), asked, hint);
  });
  module.def("parse_retry_after", &policy::parse_retry_after);
}

}  // namespace

void bind_policy(py::module_& module) {
  py::module_ bound = module.def_submodule("_policy", "The state machine without I/O, for tests.");
  bind_lifecycle(bound);
  bind_functions(bound);
  py::class_<policy::Delivery>(bound, "Delivery")
      .def(py::init<>())
      .def("admit", [](policy::Delivery& self, const std::string& kind, std::uint64_t event_life,
                       std::uint64_t epoch, std::uint64_t life, std::uint64_t present_epoch) {
        return self.admit(value_in<Event::Kind>(kinds, kind), event_life, epoch, life, present_epoch);
      });
}

}  // namespace fastws::python
