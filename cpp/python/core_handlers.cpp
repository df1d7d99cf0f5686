// Handing a slice to its handlers: called here where they want no more than the message, built for Python where they do.
#include <algorithm>
#include <utility>

#include "../client/process.hpp"
#include "core.hpp"
#include "direct.hpp"
#include "natively.hpp"
#include "raised.hpp"

namespace py = pybind11;

namespace fastws::python {

using client::Inbox;
using client::Item;

py::object Core::deliver(double seconds, PyObject* plans, PyObject* plan_of, PyObject* report) {
  const double began = net::monotonic_now();
  const auto given = deliver_until(began + seconds, DirectCalls(plans, plan_of, report));
  handler_seconds_ += net::monotonic_now() - began;
  return given;
}

py::object Core::deliver_until(double until, const DirectCalls& calls) {
  constexpr std::size_t clock_bytes = std::size_t{16} << 10;  // of text between two looks at the clock,
  constexpr std::size_t clock_messages = 16;  // or so many messages, once the first ones were no trouble
  // Taken out: what is called may find its way back here.
  std::vector<Item> items = std::exchange(taken_[Inbox::handlers_lane].fetched, {});
  std::size_t next = std::exchange(taken_[Inbox::handlers_lane].next, 0);
  std::size_t bytes = 0;
  std::size_t step = 1;
  std::size_t look_at = next + step;
  try {
    bool in_time = next == 0 || net::monotonic_now() < until;  // a slice delivers something, however late
    while (next < items.size() && in_time) {
      Item& item = items[next];
      if (item.kind != Item::Kind::json && item.kind != Item::Kind::text) break;
      const auto goes_on = [&] { return item.life == static_cast<std::uint32_t>(client_->life()); };
      if (!goes_on()) {  // the inbox counts what is left of an older life, and gives the rest once more
        keep(Inbox::handlers_lane, items, next);
        return py::none();
      }
      const py::object plan = calls.plan(route_name(item).ptr());
      if (plan.is_none()) break;
      if (PyTuple_GET_SIZE(plan.ptr()) == 0) {
        const bool judge = item.mark == Item::Mark::judge;
        item.mark = Item::Mark::unwanted;
        if (!judge) {
          ++next;
          continue;
        }
      }
      const auto message = message_of(item);
      if (!message) {  // told below, where the text is built a second time, unless it was Ctrl-C that came
        if (PyErr_ExceptionMatches(PyExc_Exception) == 0) throw_raised();
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
  if (next == items.size()) {
    keep(Inbox::handlers_lane, items, next);
    return py::none();
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

}  // namespace fastws::python
