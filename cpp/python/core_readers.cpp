// A reader's queue: opened, read message by message, closed.
#include <pybind11/stl.h>

#include <utility>

#include "../client/process.hpp"
#include "core.hpp"
#include "natively.hpp"
#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

using client::Item;

namespace {

PyObject* mark() {
  PyObject* const made = PyObject_CallNoArgs(reinterpret_cast<PyObject*>(&PyBaseObject_Type));
  if (made == nullptr) throw_raised();
  return made;
}

}  // namespace

py::handle nothing() {
  static PyObject* const made = mark();
  return made;
}

py::handle over() {
  static PyObject* const made = mark();
  return made;
}

std::uint64_t Core::open_reader(const std::optional<std::vector<std::string>>& routes) {
  if (lost()) return 0;
  return natively(
      [&] {
        return client_->inbox().open_reader(routes ? client::Wishes(*routes, false, false)
                                                   : client::Wishes::all());
      },
      std::uint64_t{0});
}

void Core::close_reader(std::uint64_t reader) {
  if (lost()) return;
  Taken returned = std::move(taken_[reader]);
  taken_.erase(reader);
  returned.give_back();
  natively([&] {
    const double now = net::monotonic_now();
    const bool emptied = client_->inbox().done(reader, returned.worked, returned.back, now);
    const bool closed = client_->inbox().close_reader(reader, now);
    if (emptied || closed) client_->resume_reading();
  });
}

py::object Core::next(std::uint64_t reader, const py::object& bad) {
  constexpr double fresh =
      0.002;  // seconds; then what was fetched ahead goes back: newer ones may replace it
  const auto none = py::reinterpret_borrow<py::object>(nothing());
  for (;;) {
    const auto here = lost() ? taken_.end() : taken_.find(reader);
    if (here == taken_.end() || here->second.left() == 0) return none;
    Taken& taken = here->second;
    const bool stale = taken.next != 0 && net::monotonic_now() >= taken.at + fresh;
    if (stale || taken.fetched[taken.next].life != static_cast<std::uint32_t>(client_->life())) {
      taken.give_back();
      return none;
    }
    // Taken out: what is collected while the object is made may close the reader.
    Item item = std::move(taken.fetched[taken.next++]);
    py::object message;
    py::object told;
    try {
      message = item.kind == Item::Kind::binary
                    ? py::bytes(item.slab->tape.text.data() + item.text, item.text_size)
                    : message_of(item);
      if (!message) told = bad_item(item);
    } catch (...) {
      worked_off(reader, std::move(item));
      throw;
    }
    const bool report = !item.handled;
    worked_off(reader, std::move(item));
    if (message) return message;
    if (report) bad(told[py::int_(1)], told[py::int_(2)]);
  }
}

void Core::worked_off(std::uint64_t reader, Item item) {
  const auto here = taken_.find(reader);
  if (here != taken_.end()) {
    client_->latencies().add(here->second.at - item.arrived);
    here->second.worked.push_back(std::move(item));
    return;
  }
  std::vector<Item> worked;
  std::vector<Item> back;
  worked.push_back(std::move(item));
  natively([&] {
    if (client_->inbox().done(reader, worked, back)) client_->resume_reading();
  });
}

py::object Core::arrive(std::uint64_t reader, const py::object& bad, std::size_t limit,
                        std::optional<double> timeout) {
  const auto count = fetch(reader, limit, timeout);
  if (!count) return py::reinterpret_borrow<py::object>(over());
  return next(reader, bad);
}

}  // namespace fastws::python
