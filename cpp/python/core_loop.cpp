// What an event loop needs of a Core: a descriptor that wakes it, and a Ping whose answer it does not sleep for.
#include "core.hpp"
#include "natively.hpp"
#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

int Core::open_bell() {
  if (lost()) return -1;
  const int descriptor = client_->bell().open();
  if (descriptor >= 0) return descriptor;
  PyErr_SetFromErrno(PyExc_OSError);
  throw_raised();
}

void Core::close_bell() {
  if (!lost()) natively([&] { client_->bell().close(); });
}

void Core::quiet_bell() {
  if (!lost()) client_->bell().quiet();  // a system call that never waits, many times a second: with the GIL
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
