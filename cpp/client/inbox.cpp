// The inbox's two sides: the I/O thread that fills it, the threads that drain it. Who gets what is in inbox_routing.cpp,
// what a full one loses in inbox_overflow.cpp.
#include "inbox.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "slab_pool.hpp"

namespace fastws::client {

Inbox::Inbox(InboxLimits limits, std::shared_ptr<const Overflow> overflow, Bell* bell,
             std::function<void()> burst_begins)
    : limits_(limits), overflow_(std::move(overflow)), bell_(bell), burst_begins_(std::move(burst_begins)) {
  renew_view();
  view_ = next_view_;
}

// --- Slabs -----------------------------------------------------------------------------------------------------------

void Inbox::use_slab() {
  const bool open = newest_ != nullptr && newest_->pinned == 0 && newest_->bytes() < Slab::full;
  if (!open) newest_ = &take_slab();
  filling_ = newest_;
  filling_->filling = true;
  // The routes of what waits in it already are looked at by others, under this mutex.
  filling_->tape.text.guard_moves(filling_->waiting != 0 ? &mutex_ : nullptr);
}

Slab& Inbox::take_slab() {
  slabs_.push_back(SlabPool::instance().take());
  return *slabs_.back();
}

void Inbox::retire(Slab& slab) {
  if (slab.waiting != 0 || slab.pinned != 0 || slab.filling) return;
  const auto here =
      std::find_if(slabs_.begin(), slabs_.end(), [&](const auto& one) { return one.get() == &slab; });
  if (here == slabs_.end()) return;
  if (newest_ == &slab) newest_ = nullptr;
  held_ -= slab.counted;
  slab.counted = 0;
  SlabPool::instance().put(std::move(*here));
  slabs_.erase(here);
}

void Inbox::give_back() {
  const Lock lock(mutex_);
  quiet_ = true;
  std::vector<Item>().swap(pending_);
  handlers_->items.give_back();
  for (auto& reader : readers_) reader.second->items.give_back();
}

// --- The I/O thread --------------------------------------------------------------------------------------------------

void Inbox::begin(double now) {
  const Lock lock(mutex_);
  now_ = now;
  quiet_ = false;
  if (next_view_->undecided != is_undecided(now_)) renew_view();
  empty_ring_when_settled();
  view_ = next_view_;
  arrived_ = now;
  use_slab();
}

void Inbox::add(Item::Kind kind, const json::Document& document, bool has_route, std::string_view route,
                std::string_view text) {
  const Policy& policy = kind == Item::Kind::binary ? overflow_->binary : overflow_->of(has_route, route);
  Item item;
  item.kind = kind;
  item.slab = filling_;
  item.arrived = arrived_;
  item.set_document(document);
  auto& bytes = filling_->tape.text;
  if (has_route) {
    item.route_size = static_cast<std::uint32_t>(route.size());
    bytes.append(route.data(), route.size());
  }
  item.policy = policy.kind;
  if (policy.kind == Policy::Kind::latest) {
    identity_.clear();
    if (!append_identity(policy, text, identity_)) item.policy = Policy::Kind::pause;
    item.identity_size = static_cast<std::uint32_t>(identity_.size());
    bytes.append(identity_.data(), identity_.size());
  }
  pending_.push_back(std::move(item));
}

void Inbox::add_unreadable(const json::Document& document) {
  add(Item::Kind::json, document, false, {}, {});
  // Told as an error, once: neither dropped nor in another's place.
  pending_.back().policy = Policy::Kind::pause;
  pending_.back().mark = Item::Mark::judge;
}

bool Inbox::publish(std::uint64_t life, bool closing) {
  Lock lock(mutex_);
  const bool stale = life != life_ || destroyed_;
  for (Item& item : pending_) {
    item.slab->waiting++;
    if (stale || (closing && !droppable(item.policy) && over_limit())) {
      ++drops_.closed;
      item.slab->waiting--;
    } else {
      place(std::move(item));
    }
  }
  pending_.clear();
  Slab& slab = *filling_;
  filling_ = nullptr;
  slab.tape.text.guard_moves(nullptr);
  slab.filling =
      false;  // not before: the first of these may be dropped while the last are still to be placed
  const std::size_t grown = slab.bytes() - slab.counted;
  held_ += grown;
  read_since_ += grown;
  slab.counted += grown;
  retire(slab);
  gather();
  const bool paused = paused_ = over_limit();
  // Items that were there before this read could not be taken while their slab was being filled.
  bool ring = false;
  const auto note = [&](const std::shared_ptr<Lane>& lane) {
    if (lane->items.empty()) return;
    woken_.push_back(lane);
    ring = std::exchange(lane->found_empty, false) || ring;
  };
  note(handlers_);
  for (const auto& reader : readers_) note(reader.second);
  lock.unlock();
  // Only now: a thread that is woken while the mutex is held runs into it, and has to be woken again.
  for (const auto& lane : woken_) lane->arrived.wake_one();
  woken_.clear();
  if (ring && bell_ != nullptr) bell_->ring();
  return paused;
}

void Inbox::first_open(double now) {
  const Lock lock(mutex_);
  now_ = now;
  if (!opened_at_) opened_at_ = now;
}

// --- Letting messages go ---------------------------------------------------------------------------------------------

/// A message that is counted nowhere any more leaves its slab.
void Inbox::leave(Item& item) {
  Slab& slab = *item.slab;
  item.slab = nullptr;
  slab.waiting--;
  retire(slab);
}

void Inbox::drop(Item& item) {
  if (item.slab == nullptr) return;
  all_.take(item);
  leave(item);
}

void Inbox::drop_messages(Lane& lane, std::uint64_t& counter) {
  Load& fixed = fixed_of(&lane == handlers_.get());
  lane.items.remove_messages([&](Item& item) {
    ++counter;
    waiting_.take(item);
    if (!droppable(item.policy)) fixed.take(item);
    drop(item);
  });
}

void Inbox::drop_ring(std::uint64_t& counter) {
  counter += ring_.size();
  for (Item& item : ring_) leave(item);
  ring_.clear();
  ring_bytes_ = 0;
}

// --- Draining --------------------------------------------------------------------------------------------------------

std::shared_ptr<Lane> Inbox::lane_of(std::uint64_t lane) const {
  if (lane == handlers_lane) return handlers_;
  const auto here = readers_.find(lane);
  return here == readers_.end() ? nullptr : here->second;
}

/// What can be said of a lane without sleeping; nullopt = nothing, its consumer has to wait.
std::optional<Inbox::Taken> Inbox::take_now(std::uint64_t number, std::size_t limit, std::vector<Item>& out) {
  const auto available = [](const Item& item) {
    return item.kind == Item::Kind::notice ? item.notice->ready : !item.slab->filling;
  };
  const auto lane = lane_of(number);  // found anew after every sleep: a reader may be closed meanwhile
  if (destroyed_ || lane == nullptr) return Taken::over;
  out.reserve(std::min(limit, lane->items.size()));
  while (out.size() < limit && !lane->items.empty() && available(lane->items.front())) {
    out.push_back(lane->items.pop());
    const Item& item = out.back();
    if (item.slab == nullptr) continue;
    item.slab->pinned++;
    waiting_.take(item);
  }
  if (!out.empty()) return Taken::items;
  if (quiet_) lane->items.give_back();
  if (std::exchange(lane->nudged, false)) {
    lane->found_empty = true;
    return Taken::nothing;
  }
  if (number != handlers_lane && over_ && lane->items.empty()) return Taken::over;
  return std::nullopt;
}

Inbox::Taken Inbox::take(std::uint64_t number, std::size_t limit, std::vector<Item>& out,
                         std::optional<double> until) {
  Lock lock(mutex_);
  for (;;) {
    if (const auto taken = take_now(number, limit, out)) return *taken;
    const auto lane = lane_of(number);
    const auto now = std::chrono::steady_clock::now();
    const auto limit_point = until ? time_point(*until) : now + std::chrono::hours(1);
    if (until && now >= limit_point) {
      lane->found_empty = true;
      return Taken::nothing;
    }
    lane->arrived.sleep_until(lock, limit_point);
  }
}

std::optional<Inbox::Taken> Inbox::look(std::uint64_t number, std::size_t limit, std::vector<Item>& out,
                                        std::vector<Item>& worked, bool& room) {
  const Lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return std::nullopt;
  work_off(number, worked);
  room = goes_on();
  if (const auto taken = take_now(number, limit, out)) return taken;
  lane_of(number)->found_empty = true;
  return Taken::nothing;
}

bool Inbox::work_off_now(std::uint64_t number, std::vector<Item>& worked, bool& room) {
  const Lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  work_off(number, worked);
  room = goes_on();
  return true;
}

void Inbox::let_go(std::uint64_t number, Item& item) {
  item.slab->pinned--;
  if (!droppable(item.policy)) fixed_of(number == handlers_lane).take(item);
  all_.take(item);
}

void Inbox::work_off(std::uint64_t number, std::vector<Item>& worked) {
  for (Item& item : worked) {
    if (item.slab == nullptr) continue;
    // Once, whoever else was given it.
    if (item.mark == Item::Mark::unwanted) {
      ++drops_.unhandled;
    } else if (item.mark != Item::Mark::bad && !item.handled) {
      ++handled_;
    }
    let_go(number, item);
    leave(item);
  }
  worked.clear();
}

bool Inbox::done(std::uint64_t number, std::vector<Item>& worked, std::vector<Item>& back, double now) {
  const Lock lock(mutex_);
  now_ = std::max(now_, now);
  work_off(number, worked);
  const auto lane = lane_of(number);
  for (auto item = back.rbegin(); item != back.rend(); ++item) {
    const bool stale = destroyed_ || lane == nullptr ||
                       (item->slab != nullptr && item->life != static_cast<std::uint32_t>(life_));
    if (item->slab != nullptr) let_go(number, *item);
    if (!stale && item->slab != nullptr) {
      push(*lane, std::move(*item), false);
    } else if (!stale) {
      lane->items.push(std::move(*item));
    } else if (item->slab != nullptr) {
      ++drops_.closed;
      leave(*item);
    }
  }
  back.clear();
  return goes_on();
}

bool Inbox::drained() const {
  const Lock lock(mutex_);
  return handlers_->items.empty();
}

bool Inbox::surely_drained() const {
  const Lock lock(mutex_, std::try_to_lock);
  return lock.owns_lock() && handlers_->items.empty();
}

void Inbox::count_decode() {
  const Lock lock(mutex_);
  ++drops_.decode;
}

void Inbox::count_unrecorded() {
  const Lock lock(mutex_);
  std::uint64_t counted_elsewhere = 0;
  count_drop("unrecorded", {}, counted_elsewhere);
}

InboxCounts Inbox::counts(double now) const {
  InboxCounts counts;
  {
    const Lock lock(mutex_);
    counts.drops = drops_;
    counts.messages = all_.messages;
    counts.bytes = all_.bytes;
    counts.held = held_;
    counts.handled = handled_;
    // When its time is over, nobody gets it any more, even if the next read, which clears it, is long in coming.
    const auto waits = static_cast<std::size_t>(
        std::count_if(ring_.begin(), ring_.end(), [](const Item& item) { return !item.handled; }));
    if (is_undecided(now)) {
      counts.messages += waits;
      counts.bytes += ring_bytes_;
    } else {
      counts.drops.unhandled += waits;
    }
  }
  counts.drops.unhandled += unhandled_.total();
  counts.unhandled_by_type = unhandled_.by_type();
  return counts;
}

std::vector<std::shared_ptr<Notice>> Inbox::take_dropped(double now) {
  std::vector<std::shared_ptr<Notice>> told;
  const Lock lock(mutex_);
  for (auto here = losses_.begin(); here != losses_.end();) {
    Loss& loss = here->second;
    if (const auto dropped = loss.burst.take(now)) {
      told.push_back(std::make_shared<Notice>());
      told.back()->kind = Notice::Kind::dropped;
      told.back()->cause = loss.cause;
      told.back()->route = loss.route;
      told.back()->dropped = *dropped;
      told.back()->event.life = loss.life;
    }
    here = loss.burst.over(now) ? losses_.erase(here) : std::next(here);
  }
  return told;
}

std::optional<double> Inbox::burst_check() const {
  const Lock lock(mutex_);
  std::optional<double> check;
  for (const auto& [key, loss] : losses_)
    check = std::min(check.value_or(loss.burst.due()), loss.burst.due());
  return check;
}

}  // namespace fastws::client
