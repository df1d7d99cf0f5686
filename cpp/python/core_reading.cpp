// Taking messages out of the inbox and making Python objects of them. Handlers get theirs in core_handlers.cpp, readers in
// core_readers.cpp.
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

}  // namespace

// --- What a consumer has in hand -------------------------------------------------------------------------------------

void Core::Taken::add(std::vector<Item>&& items) {
  if (items.empty()) return;
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
  return py::make_tuple(static_cast<int>(json ? item_json : item_text), json ? route_name(item) : py::none(),
                        message);
}

py::object Core::bad_item(Item& item) {
  py::error_already_set error;  // takes the exception that is set
  if (!error.matches(PyExc_Exception)) throw error;
  item.mark = Item::Mark::bad;
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
  for (auto item = items.begin(); item != first_left;) {
    if (item->slab == nullptr) {
      ++item;
      continue;
    }
    const double arrived = item->arrived;  // that of all messages of one read
    const auto next = std::find_if(item, first_left, [arrived](const Item& other) {
      return other.slab == nullptr || other.arrived != arrived;
    });
    client_->latencies().add(taken.at - arrived, static_cast<std::uint64_t>(next - item));
    item = next;
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
      Item& item = items[next++];
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

std::optional<Inbox::Taken> Core::look_for_items(std::uint64_t lane, std::size_t limit,
                                                 std::vector<Item>& items) {
  constexpr std::size_t most = 16;  // messages that are worked off: freeing what many took can take its time
  std::vector<Item> none;
  const auto here = taken_.find(lane);
  const bool some = here != taken_.end();
  if (some && (!here->second.back.empty() || here->second.worked.size() > most)) return std::nullopt;
  bool room = false;
  // With the GIL, which costs more to give back and take again than this: it waits for nothing, and no fork can come between.
  const auto taken = client_->inbox().look(lane, limit, items, some ? here->second.worked : none, room);
  if (taken && some) here->second.worked_bytes = 0;
  if (taken && room) natively([&] { client_->resume_reading(); });
  return taken;
}

/// What consumers were given goes, lest it keeps a full inbox from reading on: somebody waits for more.
void Core::return_worked(const std::uint64_t* except) {
  std::vector<std::pair<std::uint64_t, std::vector<Item>>> returned;
  for (auto& [lane, taken] : taken_) {
    if (taken.worked.empty() || (except != nullptr && lane == *except)) continue;
    returned.emplace_back(lane, std::exchange(taken.worked, {}));
    taken.worked_bytes = 0;
  }
  if (returned.empty()) return;
  natively([&] {
    std::vector<Item> none;
    for (auto& [lane, worked] : returned) {
      if (client_->inbox().done(lane, worked, none)) client_->resume_reading();
    }
    returned.clear();
  });
}

Inbox::Taken Core::take_items(std::uint64_t lane, std::size_t limit, std::optional<double> timeout,
                              std::vector<Item>& items) {
  std::optional<double> until;
  if (timeout && *timeout <= 0.0) {
    if (const auto taken = look_for_items(lane, limit, items)) {
      if (*taken == Inbox::Taken::nothing) return_worked();
      return *taken;
    }
  }
  if (timeout) until = net::monotonic_now() + *timeout;
  return_worked(&lane);
  Taken returned;
  if (const auto here = taken_.find(lane); here != taken_.end()) {
    std::swap(returned.worked, here->second.worked);
    std::swap(returned.back, here->second.back);
    here->second.worked_bytes = 0;
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
  if (!items.empty()) taken_[Inbox::handlers_lane].at = net::monotonic_now();
  // Messages that were taken together are of one life: close() drops those of an older one.
  std::uint64_t life = client_->life();
  for (const Item& item : items) {
    if (item.slab != nullptr && item.life != static_cast<std::uint32_t>(life)) life = item.life;
  }
  const double until = net::monotonic_now() + budget;
  return py::make_tuple(life, build_items(Inbox::handlers_lane, items, 0, until));
}

std::optional<std::size_t> Core::fetch(std::uint64_t lane, std::size_t limit, std::optional<double> timeout) {
  if (lost()) return std::nullopt;
  const auto here = taken_.find(lane);
  if (here != taken_.end() && here->second.left() != 0) return here->second.left();
  std::vector<Item> items;
  if (take_items(lane, limit, timeout, items) == Inbox::Taken::over) return std::nullopt;
  const std::size_t count = items.size();
  if (count != 0) {
    Taken& taken = taken_[lane];
    taken.at = net::monotonic_now();
    taken.add(std::move(items));
  }
  return count;
}

}  // namespace fastws::python
