// What an event loop needs: a descriptor that wakes it, a Core that rings it, and a Ping whose answer it does not sleep for.
#include "core.hpp"
#include "loop_wakeup.hpp"
#include "natively.hpp"
#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

LoopWakeup::LoopWakeup() : wakeup_(client::Wakeup::make()) {
  if (wakeup_ != nullptr) return;
  PyErr_SetFromErrno(PyExc_OSError);
  throw_raised();
}

LoopWakeup::~LoopWakeup() {
  // The child has closed the descriptor already, and its number may be another file's.
  if (lost()) static_cast<void>(new std::shared_ptr<client::Wakeup>(std::move(wakeup_)));
}

std::vector<std::uint64_t> LoopWakeup::answer() {
  return lost() ? std::vector<std::uint64_t>() : wakeup_->answer();
}

bool Core::open_bell(const LoopWakeup& wakeup, std::uint64_t number) {
  if (lost()) return false;
  natively([&] { client_->bell().open(wakeup.shared(), number); });
  return true;
}

void Core::close_bell() {
  if (!lost()) natively([&] { client_->bell().close(); });
}

void Core::quiet_bell() {
  if (!lost()) client_->bell().quiet();
}

py::object Core::begin_ping() {
  if (lost()) return py::none();
  const auto pinged = natively([&] { return client_->ping(); }, std::optional<client::Client::Pinged>());
  return pinged ? py::object(py::make_tuple(pinged->number, pinged->epoch)) : py::none();
}

py::object Core::pong(std::uint64_t number, std::uint64_t epoch) {
  using Pong = client::Client::Pong;
  if (lost()) return py::bool_(false);
  double seconds = 0.0;
  const Pong pong = natively([&] { return client_->await_pong({number, epoch}, 0.0, seconds); }, Pong::lost);
  if (pong == Pong::arrived) return py::float_(seconds);
  return pong == Pong::lost ? py::object(py::bool_(false)) : py::none();
}

}  // namespace fastws::python
