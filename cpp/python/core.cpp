// Commands, questions and sending.
#include "core.hpp"

#include <pybind11/stl.h>

#include <stdexcept>

#include "../client/process.hpp"
#include "convert.hpp"
#include "encode.hpp"
#include "natively.hpp"
#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

namespace {

std::optional<double> deadline_after(std::optional<double> timeout) {
  if (!timeout) return std::nullopt;
  return net::monotonic_now() + *timeout;
}

}  // namespace

Core::Core(const py::dict& config, Core* replaces) : generation_(client::generation()) {
  client::Options options = options_from(config);
  std::shared_ptr<client::Client> predecessor;
  if (replaces != nullptr && !replaces->lost()) predecessor = replaces->client_;
  client_ = natively([&] { return client::Client::make(std::move(options), std::move(predecessor)); },
                     std::shared_ptr<client::Client>());
  if (!client_) throw std::runtime_error("the interpreter is exiting: no new client can be made");
}

Core::~Core() {
  if (lost()) {
    // The parent's client, or one of a finished interpreter: its locks and threads do not exist here.
    new std::shared_ptr<client::Client>(std::move(client_));
    new std::map<std::uint64_t, Taken>(std::move(taken_));
    return;
  }
  client_->destroy(0.0);
}

bool Core::lost() const noexcept {
  return generation_ != client::generation() || client::Gate::instance().closed();
}

// --- Commands --------------------------------------------------------------------------------------------------------

void Core::connect() {
  if (!lost()) natively([&] { client_->connect(); });
}

void Core::reconnect() {
  if (!lost()) natively([&] { client_->reconnect(); });
}

void Core::close(std::uint16_t code, std::string reason) {
  if (!lost()) natively([&] { client_->close(code, std::move(reason)); });
}

void Core::destroy() {
  if (!lost()) natively([&] { client_->destroy(0.0); });
}

// --- What is so now --------------------------------------------------------------------------------------------------

std::string Core::state() const { return lost() ? "destroyed" : name(client_->state()); }
std::uint64_t Core::life() const { return lost() ? 0 : client_->life(); }
std::uint64_t Core::epoch() const { return lost() ? 0 : client_->epoch(); }
std::uint64_t Core::connects() const { return lost() ? 0 : client_->traffic().connects.load(); }
std::string Core::url() const { return lost() ? "" : client_->url(); }
std::uint64_t Core::version() const { return lost() ? 0 : client_->version(); }

py::object Core::subprotocol() const {
  if (lost()) return py::none();
  const auto subprotocol = client_->subprotocol();
  return subprotocol ? py::object(py::str(*subprotocol)) : py::none();
}

py::object Core::latency() const {
  if (lost()) return py::none();
  const auto latency = client_->heartbeat().latency();
  return latency ? py::object(py::float_(*latency)) : py::none();
}

py::object Core::outcome() const {
  if (lost()) return py::none();
  const auto outcome = client_->outcome();
  if (!outcome) return py::none();
  py::object failure = py::none();
  if (outcome->failure) failure = fields_from(*outcome->failure);
  return py::make_tuple(name(outcome->reason), outcome->code, failure);
}

py::object Core::last_failure() const {
  if (lost()) return py::none();
  const auto failure = client_->last_failure();
  return failure ? py::object(fields_from(*failure)) : py::none();
}

py::dict Core::stats() const {
  if (generation_ != client::generation())
    return {};  // a finished interpreter may still look; a fork's child may not
  return fields_from(client_->inbox().counts(), *client_);
}

std::uint64_t Core::wait_change(std::uint64_t seen, std::optional<double> timeout) {
  const auto until = deadline_after(timeout);
  for (;;) {
    if (lost()) return 0;
    const auto slice = slice_end(until);
    const std::uint64_t version =
        natively([&] { return client_->wait_change(seen, slice); }, std::uint64_t{0});
    check_signals();
    if (version != seen || (until && net::monotonic_now() >= *until)) return version;
  }
}

// --- Sending ---------------------------------------------------------------------------------------------------------

bool Core::send(engine::Opcode opcode, std::string_view payload, std::uint64_t epoch) {
  using Sent = client::Client::Sent;
  const auto until = deadline_after(client_->options().send_timeout);
  // Having waited for room, a message must not cross to the next connection: its epoch is settled before the first try.
  const std::uint64_t of = epoch != 0 ? epoch : client_->epoch();
  Sent sent = Sent::dropped;
  for (;;) {
    const auto slice = slice_end(until);
    sent = natively([&] { return client_->send(opcode, payload, of, slice); }, Sent::dropped);
    if (sent != Sent::full || (until && net::monotonic_now() >= *until)) break;
    check_signals();
  }
  switch (sent) {
    case Sent::accepted: return true;
    case Sent::dropped: return false;
    case Sent::full:
      PyErr_SetString(PyExc_TimeoutError, "the outbox stayed full: the server does not take what is sent");
      throw_raised();
    case Sent::too_big: break;
  }
  const std::string limit = std::to_string(client_->options().max_message_bytes);
  PyErr_SetString(PyExc_OverflowError, ("a message of " + std::to_string(payload.size()) +
                                        " bytes is above max_message_bytes (" + limit + ")")
                                           .c_str());
  throw_raised();
}

bool Core::send_json(const py::object& object, const py::object& default_hook, std::uint64_t epoch) {
  json::Text text;
  if (!encode(object.ptr(), default_hook.is_none() ? nullptr : default_hook.ptr(), text)) {
    throw_raised();
  }
  return !lost() && send(engine::Opcode::text, text.view(), epoch);
}

bool Core::send_text(const py::str& text, std::uint64_t epoch) {
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (data == nullptr) throw_raised();
  return !lost() && send(engine::Opcode::text, {data, static_cast<std::size_t>(size)}, epoch);
}

bool Core::send_bytes(const py::buffer& data, std::uint64_t epoch) {
  Py_buffer view;  // contiguous bytes: a strided view has none and says so
  if (PyObject_GetBuffer(data.ptr(), &view, PyBUF_SIMPLE) != 0) throw_raised();
  struct Release {
    Py_buffer& view;
    ~Release() { PyBuffer_Release(&view); }
  } const release{view};
  return !lost() && send(engine::Opcode::binary,
                         {static_cast<const char*>(view.buf), static_cast<std::size_t>(view.len)}, epoch);
}

py::object Core::ping(std::optional<double> timeout) {
  if (lost()) return py::none();
  using Pong = client::Client::Pong;
  const auto until = deadline_after(timeout);
  const auto pinged = natively([&] { return client_->ping(); }, std::optional<client::Client::Pinged>());
  if (!pinged) return py::none();
  for (;;) {
    const auto slice = slice_end(until);
    double seconds = 0.0;
    const Pong pong = natively([&] { return client_->await_pong(*pinged, slice, seconds); }, Pong::lost);
    if (pong == Pong::arrived) return py::float_(seconds);
    if (pong == Pong::lost) return py::none();
    check_signals();
    if (until && net::monotonic_now() >= *until) break;
  }
  PyErr_SetString(PyExc_TimeoutError, "no Pong arrived in time");
  throw_raised();
}

// --- Handlers and providers ------------------------------------------------------------------------------------------

void Core::handle(const std::vector<std::string>& routes, bool everything, bool binary) {
  if (lost()) return;
  natively([&] { client_->inbox().set_handlers({routes, everything, binary}, net::monotonic_now()); });
}

void Core::dispatching(bool on) {
  if (!lost()) natively([&] { client_->inbox().set_dispatching(on); });
}

bool Core::admit(const std::string& event, std::uint64_t life, std::uint64_t epoch) {
  return !lost() && client_->admit(event_kind(event), life, epoch);
}

void Core::nudge() {
  if (!lost()) natively([&] { client_->nudge(); });
}

py::object Core::next_ask(std::optional<double> timeout) {
  using Asked = client::Asking::Taken;
  if (lost()) return py::none();
  client::Question question;
  const auto until = deadline_after(timeout);
  const Asked asked = natively([&] { return client_->asking().take(question, until); }, Asked::over);
  if (asked == Asked::over) return py::none();
  return asked == Asked::question ? py::object(fields_from(question)) : py::dict();
}

void Core::provide(std::uint64_t epoch, const std::optional<std::string>& url, const py::object& headers) {
  if (lost()) return;
  std::optional<net::Url> parsed;
  if (url) parsed = net::parse_url(*url);
  std::optional<Headers> pairs;
  if (!headers.is_none()) pairs = headers_from(headers);
  natively([&] { client_->provide(epoch, std::move(parsed), std::move(pairs)); });
}

void Core::provide_failed(std::uint64_t epoch, std::string message) {
  if (!lost()) natively([&] { client_->provide_failed(epoch, std::move(message)); });
}

void Core::answer(std::uint64_t epoch, bool stop, std::optional<double> delay) {
  if (!lost()) natively([&] { client_->answer(epoch, {stop, delay}); });
}

}  // namespace fastws::python
