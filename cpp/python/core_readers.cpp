// A reader's queue: opened, read message by message, closed.
#include <pybind11/stl.h>

#include <algorithm>
#include <utility>

#include "../client/process.hpp"
#include "core.hpp"
#include "natively.hpp"
#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

using client::Item;

py::handle nothing() {
  static PyObject* const made = PyObject_CallNoArgs(reinterpret_cast<PyObject*>(&PyBaseObject_Type));
  if (made == nullptr) throw_raised();
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
  Taken returned;
  if (const auto here = taken_.find(reader); here != taken_.end()) {
    returned = std::move(here->second);
    taken_.erase(here);
    returned.give_back();
  }
  natively([&] {
    const double now = net::monotonic_now();
    const bool emptied = client_->inbox().done(reader, returned.worked, returned.back, now);
    const bool closed = client_->inbox().close_reader(reader, now);
    if (emptied || closed) client_->resume_reading();
  });
}

/// The item's message; none = it is no JSON, which was told.
py::object Core::read_item(Item& item, const py::object& bad) {
  if (item.kind == Item::Kind::binary) {
    return py::bytes(item.slab->tape.text.data() + item.text, item.text_size);
  }
  py::object message = message_of(item);
  if (message) return message;
  const py::object told = bad_item(item);
  if (!item.handled) bad(told[py::int_(1)], told[py::int_(2)]);
  return {};
}

/// What Ctrl-C kept from being given, unless its life is over.
bool Core::take_kept(Taken& taken, Read& read) {
  if (taken.kept_life != client_->life()) {
    const auto gone = std::exchange(taken.kept, {});
    return false;
  }
  read.message = std::move(taken.kept.front());
  taken.kept.pop_front();
  return true;
}

/// The next message, and what it was read of; no message = nothing is at hand.
void Core::read_next(std::uint64_t reader, const py::object& bad, Read& read) {
  constexpr double fresh =
      0.002;  // seconds; then what was fetched ahead goes back: newer ones may replace it
  for (;;) {
    const auto here = lost() ? taken_.end() : taken_.find(reader);
    if (here == taken_.end()) return;
    Taken& taken = here->second;
    if (!taken.kept.empty() && take_kept(taken, read)) return;
    if (taken.left() == 0) return;
    const bool stale = taken.next != 0 && net::monotonic_now() >= taken.at + fresh;
    if (stale || taken.fetched[taken.next].life != static_cast<std::uint32_t>(client_->life())) {
      taken.give_back();
      return;
    }
    // Taken out: what is collected while the object is made may close the reader.
    read.item.emplace(std::move(taken.fetched[taken.next++]));
    try {
      read.message = read_item(*read.item, bad);
    } catch (...) {
      worked_off(reader, std::move(*read.item));
      throw;
    }
    if (read.message) return;
    worked_off(reader, std::move(*read.item));
    read.item.reset();
  }
}

/// What was read is going to be given, unless Ctrl-C came: that would lose it on its way, so it is put back.
void Core::give(std::uint64_t reader, Read* reads, std::size_t count) {
  const auto look = [&] {
    if (PyErr_CheckSignals() == 0) return;
    const py::error_already_set raised;
    put_back(reader, reads, count);
    throw py::error_already_set(raised);
  };
  look();
  for (std::size_t index = 0; index < count; ++index) {
    if (!reads[index].item) continue;
    worked_off(reader, std::move(*reads[index].item));
    reads[index].item.reset();
  }
  look();  // as late as can be
}

void Core::put_back(std::uint64_t reader, Read* reads, std::size_t count) {
  std::vector<Item> items;  // at their place, whatever was read meanwhile
  std::list<py::object> objects;
  for (std::size_t index = 0; index < count; ++index) {
    if (reads[index].item) {
      items.push_back(std::move(*reads[index].item));
    } else {
      objects.push_back(std::move(reads[index].message));
    }
  }
  const auto here = taken_.find(reader);
  if (here == taken_.end()) {  // closed meanwhile
    std::vector<Item> none;
    natively([&] { client_->inbox().done(reader, none, items); });
    return;
  }
  here->second.add(std::move(items));
  here->second.kept_life = client_->life();
  here->second.kept.splice(here->second.kept.begin(), objects);
}

py::object Core::next(std::uint64_t reader, const py::object& bad) {
  Read read;
  read_next(reader, bad, read);
  if (!read.message) return py::reinterpret_borrow<py::object>(nothing());
  give(reader, &read, 1);
  return std::move(read.message);
}

py::object Core::next_many(std::uint64_t reader, const py::object& bad, std::size_t most) {
  constexpr std::size_t at_a_time = 256;
  constexpr double turn = 0.002;  // seconds; then other threads of Python may run
  std::vector<Read> reads;
  double until = net::monotonic_now() + turn;
  try {
    while (reads.size() < most) {
      Read read;
      read_next(reader, bad, read);
      if (read.message) {
        reads.push_back(std::move(read));
      } else if (fetch(reader, std::min(most - reads.size(), at_a_time), 0.0).value_or(0) == 0) {
        break;
      }
      if (net::monotonic_now() < until) continue;
      natively([] {});
      until = net::monotonic_now() + turn;
    }
  } catch (...) {
    put_back(reader, reads.data(), reads.size());
    throw;
  }
  if (reads.empty()) return py::reinterpret_borrow<py::object>(nothing());
  py::list messages(reads.size());
  for (std::size_t index = 0; index < reads.size(); ++index) messages[index] = reads[index].message;
  give(reader, reads.data(), reads.size());
  return std::move(messages);
}

void Core::worked_off(std::uint64_t reader, Item&& item) {
  constexpr std::size_t few = 16;                       // messages that are freed with the GIL,
  constexpr std::size_t much = std::size_t{256} << 10;  // and bytes that are not
  const auto here = taken_.find(reader);
  if (here == taken_.end()) {  // closed meanwhile
    std::vector<Item> worked;
    std::vector<Item> back;
    worked.push_back(std::move(item));
    natively([&] {
      if (client_->inbox().done(reader, worked, back)) client_->resume_reading();
    });
    return;
  }
  Taken& taken = here->second;
  client_->latencies().add(taken.at - item.arrived);
  taken.worked_bytes += item.cost();
  taken.worked.push_back(std::move(item));
  // Nobody may come for the next one: what was read must not keep a full inbox from reading on. Of many that are small the
  // next fetch takes care, or whoever waits for the room.
  if (taken.worked_bytes >= much) {
    return_worked();
  } else if (taken.left() == 0 && taken.worked.size() <= few) {
    bool room = false;
    if (!client_->inbox().work_off_now(reader, taken.worked, room)) return;
    taken.worked_bytes = 0;
    if (room) natively([&] { client_->resume_reading(); });
  }
}

}  // namespace fastws::python
