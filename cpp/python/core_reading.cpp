// Taking messages out of the inbox and making Python objects of them.
#include <pybind11/stl.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "../client/process.hpp"
#include "convert.hpp"
#include "core.hpp"
#include "direct.hpp"
#include "natively.hpp"
#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

using client::Inbox;
using client::Item;

namespace {

/// One for the process: a key that many clients' messages share is made once. With the GIL only.
Builder& builder() {
  static auto* made = new Builder;  // outlives every Core, whenever that is freed
  return *made;
}

py::object route_of(const Item& item) {
  static auto* const names = new RouteNames;  // as the builder
  if (!item.has_route()) return py::none();
  auto route = py::reinterpret_steal<py::object>(names->of(item.route_text()));
  if (!route) throw_raised();
  return route;
}

}  // namespace

py::handle nothing() {
  static PyObject* const made = PyObject_CallNoArgs(reinterpret_cast<PyObject*>(&PyBaseObject_Type));
  if (made == nullptr) throw_raised();
  return made;
}

// --- What a consumer has in hand -------------------------------------------------------------------------------------

void Core::Taken::add(std::vector<Item>&& items) {
  if (left() == 0) {
    fetched = std::move(items);
    next = 0;
    return;
  }
  fetched.erase(fetched.begin(), fetched.begin() + static_cast<std::ptrdiff_t>(next));
  next = 0;
  const bool later = fetched.back().sequence < items.front().sequence;
  std::move(items.begin(), items.end(), std::back_inserter(fetched));
  if (later) return;
  // Another thread reads here too, and put what it took there first.
  std::sort(fetched.begin(), fetched.end(),
            [](const Item& one, const Item& other) { return one.sequence < other.sequence; });
}

void Core::Taken::give_back() {
  std::move(fetched.begin() + static_cast<std::ptrdiff_t>(next), fetched.end(), std::back_inserter(back));
  fetched.clear();
  next = 0;
}

/// A text message's object, or nullptr with an exception set.
py::object Core::message_of(const Item& item) {
  return py::reinterpret_steal<py::object>(item.kind == Item::Kind::json
                                               ? builder().build(item.slab->tape, item.document())
                                               : build_text(item.slab->tape, item.document()));
}

py::object Core::build_item(const Item& item) {
  if (item.kind == Item::Kind::notice) return item_from(*item.notice);
  if (item.kind == Item::Kind::binary) {
    return py::make_tuple(static_cast<int>(item_binary), py::none(),
                          py::bytes(item.slab->tape.text.data() + item.text, item.text_size));
  }
  py::object message = message_of(item);
  if (!message) throw_raised();
  const bool json = item.kind == Item::Kind::json;
  return py::make_tuple(static_cast<int>(json ? item_json : item_text), json ? route_of(item) : py::none(),
                        message);
}

py::object Core::bad_item(const Item& item) {
  py::error_already_set error;  // takes the exception that is set
  if (!error.matches(PyExc_Exception)) throw error;
  if (!item.handled) client_->inbox().count_decode();  // once, whoever else is given the text
  py::object exception = error.value();
  auto text = py::reinterpret_steal<py::object>(build_text(item.slab->tape, item.document()));
  if (!text) throw_raised();
  return py::make_tuple(static_cast<int>(item_bad), text, exception);
}

void Core::keep(std::uint64_t lane, std::vector<Item>& items, std::size_t worked) {
  // Given back with the lane's next call: taking the GIL again just for that could cost a switch interval.
  Taken& taken = taken_[lane];
  const auto first_left = items.begin() + static_cast<std::ptrdiff_t>(worked);
  for (auto item = items.begin(); item != first_left; ++item) {
    if (item->slab != nullptr) client_->latencies().add(taken.at - item->arrived);
  }
  std::move(first_left, items.end(), std::back_inserter(taken.back));
  items.erase(first_left, items.end());
  if (taken.worked.empty()) {
    taken.worked = std::move(items);
  } else {
    std::move(items.begin(), items.end(), std::back_inserter(taken.worked));
  }
  items.clear();
}

py::list Core::build_items(std::uint64_t lane, std::vector<Item>& items, std::size_t next, double until) {
  py::list built;
  try {
    while (next < items.size()) {
      const Item& item = items[next++];
      py::object object;
      try {
        object = build_item(item);
      } catch (py::error_already_set& error) {
        error.restore();
        object = bad_item(item);
        if (item.handled) continue;
      }
      built.append(object);
      if (net::monotonic_now() >= until) break;
    }
  } catch (...) {
    keep(lane, items, next);
    throw;
  }
  keep(lane, items, next);
  return built;
}

Inbox::Taken Core::take_items(std::uint64_t lane, std::size_t limit, std::optional<double> timeout,
                              std::vector<Item>& items) {
  std::optional<double> until;
  if (timeout) until = net::monotonic_now() + *timeout;
  Taken returned;
  if (const auto here = taken_.find(lane); here != taken_.end()) {
    std::swap(returned.worked, here->second.worked);
    std::swap(returned.back, here->second.back);
  }
  for (;;) {
    if (lost()) return Inbox::Taken::over;
    const auto slice = slice_end(until);
    const auto taken = natively(
        [&] {
          auto& inbox = client_->inbox();
          const double now = returned.back.empty() ? 0.0 : net::monotonic_now();  // nothing for every message
          if (inbox.done(lane, returned.worked, returned.back, now)) client_->resume_reading();
          returned = {};  // nothing of it is held while this sleeps
          return inbox.take(lane, limit, items, slice);
        },
        Inbox::Taken::over);
    if (taken == Inbox::Taken::items) taken_[lane].at = net::monotonic_now();
    if (taken != Inbox::Taken::nothing) return taken;
    check_signals();
    const double now = net::monotonic_now();
    if ((until && now >= *until) || !slice || now < *slice) return taken;  // the time is over, or a nudge
  }
}

py::object Core::take(std::size_t limit, double budget, std::optional<double> timeout) {
  if (lost()) return py::none();
  std::vector<Item> items;
  if (take_items(Inbox::handlers_lane, limit, timeout, items) == Inbox::Taken::over) return py::none();
  // Messages that were taken together are of one life: close() drops those of an older one.
  std::uint64_t life = client_->life();
  for (const Item& item : items) {
    if (item.slab != nullptr && item.life != static_cast<std::uint32_t>(life)) life = item.life;
  }
  const double until = net::monotonic_now() + budget;
  return py::make_tuple(life, build_items(Inbox::handlers_lane, items, 0, until));
}

py::object Core::fetch(std::uint64_t lane, std::size_t limit, std::optional<double> timeout) {
  if (lost()) return py::none();
  const auto here = taken_.find(lane);
  if (here != taken_.end() && here->second.left() != 0) return py::int_(here->second.left());
  std::vector<Item> items;
  if (take_items(lane, limit, timeout, items) == Inbox::Taken::over) return py::none();
  const std::size_t count = items.size();
  if (count != 0) taken_[lane].add(std::move(items));
  return py::int_(count);
}

// --- Handlers --------------------------------------------------------------------------------------------------------

py::object Core::deliver(double until, const py::dict& plans, const py::object& plan_of,
                         const py::object& report) {
  constexpr std::size_t clock_bytes = std::size_t{16} << 10;  // of text between two looks at the clock,
  constexpr std::size_t clock_messages = 16;  // or so many messages, once the first ones were no trouble
  const DirectCalls calls(plans, plan_of, report);
  // Taken out: what is called may find its way back here.
  std::vector<Item> items = std::exchange(taken_[Inbox::handlers_lane].fetched, {});
  std::size_t next = std::exchange(taken_[Inbox::handlers_lane].next, 0);
  std::size_t bytes = 0;
  std::size_t step = 1;
  std::size_t look_at = next + step;
  try {
    bool in_time = next == 0 || net::monotonic_now() < until;  // a slice delivers something, however late
    while (next < items.size() && in_time) {
      const Item& item = items[next];
      if (item.kind != Item::Kind::json && item.kind != Item::Kind::text) break;
      const auto goes_on = [&] { return item.life == static_cast<std::uint32_t>(client_->life()); };
      if (!goes_on()) break;
      const py::object plan = calls.plan(route_of(item).ptr());
      if (plan.is_none()) break;
      const auto message = message_of(item);
      if (!message) {  // told below, where the text is built a second time
        PyErr_Clear();
        break;
      }
      ++next;
      const py::object stop = calls.call(plan, message.ptr(), goes_on);
      if (stop) {
        const std::uint64_t life = item.life;
        const bool more = next < items.size();
        if (more) {
          Taken& taken = taken_[Inbox::handlers_lane];
          taken.fetched = std::move(items);
          taken.next = next;
        } else {
          keep(Inbox::handlers_lane, items, next);
        }
        return py::make_tuple(life, more, stop);
      }
      bytes += item.text_size;
      if (next >= look_at || bytes >= clock_bytes) {
        bytes = 0;
        step = std::min(step * 2, clock_messages);
        look_at = next + step;
        in_time = net::monotonic_now() < until;
      }
    }
  } catch (...) {
    keep(Inbox::handlers_lane, items, next);
    throw;
  }
  std::uint64_t life = client_->life();
  for (std::size_t index = next; index < items.size(); ++index) {
    const Item& item = items[index];
    if (item.slab != nullptr && item.life != static_cast<std::uint32_t>(life)) life = item.life;
  }
  return py::make_tuple(life, build_items(Inbox::handlers_lane, items, next, until), py::none());
}

bool Core::drained() const {
  if (lost()) return true;
  const auto taken = taken_.find(Inbox::handlers_lane);
  if (taken != taken_.end() && (taken->second.left() != 0 || !taken->second.back.empty())) return false;
  // A reader asks this with each message in hand: giving up the GIL for the answer could cost it a switch interval.
  return client_->inbox().surely_drained() || natively([&] { return client_->inbox().drained(); }, true);
}

// --- Readers ---------------------------------------------------------------------------------------------------------

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

namespace {

struct Popper {
  py::object kept;
  Core* core;
  std::uint64_t reader;
};

PyObject* pop(PyObject* capsule, PyObject* bad) {
  auto* const popper = static_cast<Popper*>(PyCapsule_GetPointer(capsule, nullptr));
  if (popper == nullptr) return nullptr;
  return made_or_raised(
      [&] { return popper->core->next(popper->reader, py::reinterpret_borrow<py::object>(bad)); });
}

}  // namespace

py::object popper(py::object core, std::uint64_t reader) {
  static PyMethodDef function = {"pop", pop, METH_O, nullptr};
  auto* const native = core.cast<Core*>();
  auto made = std::make_unique<Popper>(Popper{std::move(core), native, reader});
  const py::capsule capsule(made.get(), [](void* gone) { delete static_cast<Popper*>(gone); });
  static_cast<void>(made.release());
  auto popping = py::reinterpret_steal<py::object>(PyCFunction_New(&function, capsule.ptr()));
  if (!popping) throw_raised();
  return popping;
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

}  // namespace fastws::python
