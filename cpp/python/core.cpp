// Commands and questions, handlers and providers. Sending is in core_sending.cpp.
#include "core.hpp"

#include <pybind11/stl.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "../client/process.hpp"
#include "convert.hpp"
#include "natively.hpp"
#include "raised.hpp"
#include "settings.hpp"

namespace py = pybind11;

namespace fastws::python {

Core::Core(const std::optional<std::string>& url, const py::object& headers,
           std::shared_ptr<const client::Options> options, Core* replaces)
    : generation_(client::generation()) {
  client::Target target = target_from(url, headers, *options);
  std::shared_ptr<client::Client> predecessor;
  if (replaces != nullptr && !replaces->lost()) predecessor = replaces->client_;
  const std::string record = options->record;
  int refused = 0;
  client_ = natively(
      [&]() -> std::shared_ptr<client::Client> {
        try {
          return client::Client::make(std::move(target), std::move(options), std::move(predecessor));
        } catch (const std::system_error& error) {  // the file to record to
          if (record.empty()) throw;
          refused = error.code().value();
          return nullptr;
        }
      },
      std::shared_ptr<client::Client>());
  if (refused != 0) {
    errno = refused;
    PyErr_SetFromErrnoWithFilename(PyExc_OSError, record.c_str());
    throw_raised();
  }
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
  if (lost()) return;
  std::map<std::uint64_t, Taken> unread;  // what readers fetched ahead, and gave to nobody
  for (auto& [lane, taken] : taken_) {
    if (lane == client::Inbox::handlers_lane || taken.left() == 0) continue;
    taken.give_back();
    std::swap(unread[lane].back, taken.back);
  }
  natively([&] {
    client_->close(code, std::move(reason));
    for (auto& [lane, taken] : unread) {
      if (client_->inbox().done(lane, taken.worked, taken.back)) client_->resume_reading();
    }
  });
}

void Core::destroy() {
  if (!lost()) natively([&] { client_->destroy(0.0); });
}

// --- What is so now --------------------------------------------------------------------------------------------------

std::string Core::state() const { return lost() ? "destroyed" : name(client_->state()); }
bool Core::is_over() const {
  if (lost()) return true;
  const policy::State state = client_->state();
  return state == policy::State::closed || state == policy::State::destroyed;
}
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
  return fields_from(client_->inbox().counts(net::monotonic_now()), *client_);
}

bool Core::flush_record(double timeout) {
  if (lost() || client_->recorder() == nullptr) return true;
  const double until = net::monotonic_now() + timeout;
  return natively([&] { return client_->recorder()->flush(until); }, false);
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

// --- Handlers and providers ------------------------------------------------------------------------------------------

void Core::handle(const std::vector<std::string>& routes, bool everything, bool binary) {
  if (lost()) return;
  natively([&] {
    const bool room = client_->inbox().set_handlers({routes, everything, binary}, net::monotonic_now());
    if (room) client_->resume_reading();
  });
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
  if (lost() || client_->asking() == nullptr) return py::none();
  client::Question question;
  const auto until = deadline_after(timeout);
  const Asked asked = natively([&] { return client_->asking()->take(question, until); }, Asked::over);
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
