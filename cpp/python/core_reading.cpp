// Taking messages out of the inbox and making Python objects of them.
#include <pybind11/stl.h>

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
  if (item.report) client_->inbox().count_decode();  // once, whoever else is given the text
  py::object exception = error.value();
  auto text = py::reinterpret_steal<py::object>(build_text(item.slab->tape, item.document()));
  if (!text) throw_raised();
  return py::make_tuple(static_cast<int>(item_bad), text, exception);
}

void Core::keep(std::uint64_t lane, std::vector<Item>& items, std::size_t worked) {
  // Given back with the lane's next call: taking the GIL again just for that could cost a switch interval.
  Taken& taken = taken_[lane];
  for (std::size_t index = 0; index < items.size(); ++index) {
    if (index < worked && items[index].slab != nullptr)
      client_->latencies().add(taken.at - items[index].arrived);
    (index < worked ? taken.worked : taken.back).push_back(std::move(items[index]));
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
        if (!item.report) continue;
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

Inbox::Taken Core::fetch(std::uint64_t lane, std::size_t limit, std::optional<double> timeout,
                         std::vector<Item>& items) {
  std::optional<double> until;
  if (timeout) until = net::monotonic_now() + *timeout;
  Taken returned = std::move(taken_[lane]);
  taken_[lane] = {};
  for (;;) {
    if (lost()) return Inbox::Taken::over;
    const auto slice = slice_end(until);
    const auto taken = natively(
        [&] {
          if (client_->inbox().done(lane, returned.worked, returned.back)) client_->resume_reading();
          returned = {};  // nothing of it is held while this sleeps
          return client_->inbox().take(lane, limit, items, slice);
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
  if (fetch(Inbox::handlers_lane, limit, timeout, items) == Inbox::Taken::over) return py::none();
  // Messages that were taken together are of one life: close() drops those of an older one.
  std::uint64_t life = client_->life();
  for (const Item& item : items) {
    if (item.slab != nullptr && item.life != static_cast<std::uint32_t>(life)) life = item.life;
  }
  const double until = net::monotonic_now() + budget;
  return py::make_tuple(life, build_items(Inbox::handlers_lane, items, 0, until));
}

bool Core::fetch_slice(std::size_t limit, std::optional<double> timeout) {
  return !lost() && fetch(Inbox::handlers_lane, limit, timeout, slice_) != Inbox::Taken::over;
}

py::object Core::deliver(double budget, const py::dict& plans, const py::object& plan_of,
                         const py::object& report) {
  constexpr std::size_t clock_bytes = std::size_t{16} << 10;  // of text between two looks at the clock,
  constexpr std::size_t clock_messages = 16;                  // or so many messages
  const double began = net::monotonic_now();
  const DirectCalls calls(plans, plan_of, report);
  std::vector<Item> items = std::move(slice_);  // a handler may come back here, by collecting another client
  slice_.clear();
  std::size_t next = 0;
  std::size_t bytes = 0;
  try {
    bool in_time = true;
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
      calls.call(plan, message.ptr(), goes_on);
      bytes += item.text_size;
      if (next % clock_messages == 0 || bytes >= clock_bytes) {
        bytes = 0;
        in_time = net::monotonic_now() < began + budget;
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
  py::list rest = build_items(Inbox::handlers_lane, items, next, began + budget);
  return py::make_tuple(life, rest, net::monotonic_now() - began);
}

bool Core::drained() const {
  if (lost()) return true;
  if (!slice_.empty()) return false;
  const auto taken = taken_.find(Inbox::handlers_lane);
  if (taken != taken_.end() && !taken->second.back.empty()) return false;
  return natively([&] { return client_->inbox().drained(); }, true);
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
  natively([&] {
    const bool emptied = client_->inbox().done(reader, returned.worked, returned.back);
    const bool closed = client_->inbox().close_reader(reader, net::monotonic_now());
    if (emptied || closed) client_->resume_reading();
  });
}

py::object Core::read(std::uint64_t reader, std::size_t limit, std::optional<double> timeout) {
  for (;;) {
    std::vector<Item> items;
    const auto taken = fetch(reader, limit, timeout, items);
    if (taken == Inbox::Taken::over) return py::none();
    py::list built = build_items(reader, items, 0, net::monotonic_now() + 1e9);
    // All of them may have been bad texts that the handlers' side tells.
    if (taken == Inbox::Taken::nothing || !built.empty()) return std::move(built);
  }
}

}  // namespace fastws::python
