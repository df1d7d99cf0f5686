// Every conversion of what happened in one place, so that names are spelled once.
#include "convert.hpp"

#include <pybind11/stl.h>

#include <string>

namespace py = pybind11;

namespace fastws::python {

using policy::State;

namespace {

const char* name(policy::Event::Kind kind) noexcept {
  switch (kind) {
    case policy::Event::Kind::connecting: return "connecting";
    case policy::Event::Kind::connect: return "connect";
    case policy::Event::Kind::disconnect: return "disconnect";
    case policy::Event::Kind::reconnecting: return "reconnecting";
    case policy::Event::Kind::error: return "error";
    case policy::Event::Kind::closed: return "closed";
  }
  return "error";
}

py::str text_from(const std::string& bytes) {
  // What a server sent may be any bytes; nothing of it may make an event undeliverable.
  return py::reinterpret_steal<py::str>(
      PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "backslashreplace"));
}

/// Every connection's answer has the same few names: each is one object for all of them.
py::list list_from(const Headers& headers) {
  py::list list;
  for (const auto& header : headers) {
    PyObject* name = text_from(header.first).release().ptr();
    PyUnicode_InternInPlace(&name);
    list.append(py::make_tuple(py::reinterpret_steal<py::str>(name), text_from(header.second)));
  }
  return list;
}

}  // namespace

const char* name(State state) noexcept {
  switch (state) {
    case State::idle: return "idle";
    case State::connecting: return "connecting";
    case State::open: return "open";
    case State::backoff: return "backoff";
    case State::closing: return "closing";
    case State::closed: return "closed";
    case State::destroyed: return "destroyed";
  }
  return "destroyed";
}

const char* name(policy::ClosedReason reason) noexcept {
  switch (reason) {
    case policy::ClosedReason::none: return "none";
    case policy::ClosedReason::user: return "user";
    case policy::ClosedReason::fatal: return "fatal";
    case policy::ClosedReason::exhausted: return "exhausted";
    case policy::ClosedReason::server: return "server";
  }
  return "none";
}

policy::Event::Kind event_kind(const std::string& wanted) {
  using Kind = policy::Event::Kind;
  for (const Kind kind :
       {Kind::connecting, Kind::connect, Kind::disconnect, Kind::reconnecting, Kind::error, Kind::closed}) {
    if (wanted == name(kind)) return kind;
  }
  throw py::value_error("no lifecycle event is called " + wanted);
}

py::dict fields_from(const Failure& failure) {
  py::dict fields;
  fields["phase"] = std::string(fastws::name(failure.phase));
  fields["message"] = text_from(failure.message);
  fields["http_status"] = failure.http_status == 0 ? py::object(py::none()) : py::int_(failure.http_status);
  fields["retry_after"] = failure.retry_after ? py::object(py::float_(*failure.retry_after)) : py::none();
  fields["headers"] = list_from(failure.headers);
  fields["body"] = py::bytes(failure.body);
  return fields;
}

py::dict fields_from(const client::Question& question) {
  py::dict fields;
  fields["kind"] = question.kind == client::Question::Kind::provide ? "provide" : "should_reconnect";
  fields["epoch"] = question.epoch;
  fields["attempt"] = question.attempt;
  fields["is_reconnect"] = question.is_reconnect;
  fields["last_close"] = question.last_close ? py::object(py::int_(*question.last_close)) : py::none();
  fields["last_error"] = question.last_error ? py::object(fields_from(*question.last_error)) : py::none();
  return fields;
}

py::tuple item_from(const client::Notice& notice) {
  using Kind = policy::Event::Kind;
  const policy::Event& event = notice.event;
  py::dict fields;
  fields["life"] = event.life;
  fields["age"] = net::monotonic_now() - notice.when;
  if (notice.kind == client::Notice::Kind::dropped) {
    fields["age"] = 0.0;
    fields["cause"] = notice.cause;
    fields["route"] = notice.route.empty() ? py::object(py::none()) : text_from(notice.route);
    fields["count"] = notice.dropped.count;
    fields["first_at"] = notice.dropped.first_at;
    fields["last_at"] = notice.dropped.last_at;
    fields["continued"] = notice.dropped.continued;
    return py::make_tuple(static_cast<int>(item_event), "dropped", fields);
  }
  if (event.kind != Kind::error && event.kind != Kind::closed) fields["epoch"] = event.epoch;
  switch (event.kind) {
    case Kind::connecting:
      fields["attempt"] = event.attempt;
      fields["url"] = notice.url;
      break;
    case Kind::connect:
      fields["attempt"] = event.attempt;
      fields["is_reconnect"] = event.is_reconnect;
      fields["downtime"] = event.downtime;
      fields["url"] = notice.url;
      fields["subprotocol"] =
          notice.subprotocol.empty() ? py::object(py::none()) : text_from(notice.subprotocol);
      fields["headers"] = list_from(notice.headers);
      break;
    case Kind::disconnect:
      fields["code"] = event.code;
      fields["reason"] = text_from(event.reason);
      fields["clean"] = event.clean;
      fields["initiator"] = name(event.initiator);
      fields["uptime"] = event.uptime;
      fields["unsent_messages"] = event.unsent_messages;
      fields["unsent_bytes"] = event.unsent_bytes;
      fields["will_reconnect"] = event.will_reconnect;
      break;
    case Kind::reconnecting:
      fields["attempt"] = event.attempt;
      fields["delay"] = event.delay;
      fields["at"] = event.at;
      fields["after_connection"] = event.after_connection;
      break;
    case Kind::error:
      fields = fields_from(event.failure);
      fields["life"] = event.life;
      fields["age"] = net::monotonic_now() - notice.when;
      fields["epoch"] = event.epoch;
      fields["attempt"] = event.attempt;
      fields["fatal"] = event.fatal;
      fields["url"] = notice.url;
      break;
    case Kind::closed:
      fields["epoch"] = event.epoch;
      fields["reason"] = name(event.closed_reason);
      fields["code"] = event.code == 0 ? py::object(py::none()) : py::int_(event.code);
      fields["last_error"] =
          event.failure.phase == Phase::none ? py::object(py::none()) : fields_from(event.failure);
      break;
  }
  return py::make_tuple(static_cast<int>(item_event), name(event.kind), fields);
}

py::dict fields_from(const client::InboxCounts& counts, const client::Client& client) {
  const client::Traffic& traffic = client.traffic();
  py::dict dropped;
  dropped["unhandled"] = counts.drops.unhandled;
  dropped["unclaimed"] = counts.drops.unclaimed;
  dropped["unread"] = counts.drops.unread;
  dropped["overflow"] = counts.drops.overflow;
  dropped["conflated"] = counts.drops.conflated;
  dropped["closed"] = counts.drops.closed;
  dropped["decode"] = counts.drops.decode;
  dropped["offline"] = client.dropped_offline();
  py::dict by_type;
  for (const auto& type : counts.unhandled_by_type) by_type[text_from(type.first)] = type.second;
  const double opened_at = traffic.opened_at.load();
  py::dict fields;
  fields["messages_in"] = traffic.messages_in.load();
  fields["messages_out"] = client.line().messages();
  fields["bytes_in"] = traffic.bytes_in.load();
  fields["bytes_out"] = client.line().bytes();
  fields["handled"] = counts.handled;
  fields["dropped"] = dropped;
  fields["dropped_by_type"] = by_type;
  fields["inbox_messages"] = counts.messages;
  fields["inbox_bytes"] = counts.bytes;
  fields["outbox_messages"] = client.line().waiting_messages();
  fields["outbox_bytes"] = client.line().waiting_bytes();
  const client::Offline::Counts stored = client.stored();
  fields["offline_messages"] = stored.messages;
  fields["offline_bytes"] = stored.bytes;
  fields["connects"] = traffic.connects.load();
  fields["failures"] = traffic.failures.load();
  fields["uptime"] = opened_at == 0.0 ? 0.0 : net::monotonic_now() - opened_at;
  fields["parse_seconds"] = traffic.parse_seconds.load();
  py::dict latency;
  for (const auto& [name, share] :
       {std::pair("p50", 0.5), std::pair("p90", 0.9), std::pair("p99", 0.99), std::pair("p999", 0.999)}) {
    latency[name] = client.latencies().at_most(share);
  }
  latency["max"] = client.latencies().longest();
  fields["latency"] = latency;
  const client::Recorder::Counts recorder =
      client.recorder() ? client.recorder()->counts() : client::Recorder::Counts();
  fields["recorded"] = recorder.recorded;
  fields["unrecorded"] = recorder.unrecorded;
  return fields;
}

}  // namespace fastws::python
