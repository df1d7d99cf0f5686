// The inbox's two sides: the I/O thread that fills it, the threads that drain it. Who gets what is in inbox_routing.cpp.
#include "inbox.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gate.hpp"

namespace fastws::client {

namespace {

constexpr std::size_t slab_bytes = std::size_t{256} << 10;  // a larger slab takes no further reads
constexpr std::size_t spare_bytes = std::size_t{1} << 20;   // a larger one is freed, not kept
constexpr std::size_t spare_slabs = 4;
constexpr double burst_ends_after = 1.0;  // seconds without a drop

}  // namespace

Inbox::Inbox(InboxLimits limits) : limits_(limits) {
  renew_view();
  view_ = next_view_;
}

// --- Slabs -----------------------------------------------------------------------------------------------------------

void Inbox::use_slab() {
  const bool open = newest_ != nullptr && newest_->pinned == 0 && newest_->bytes() < slab_bytes;
  if (!open) {
    if (spare_.empty()) {
      slabs_.push_back(std::make_unique<Slab>());
    } else {
      slabs_.push_back(std::move(spare_.back()));
      spare_.pop_back();
    }
    newest_ = slabs_.back().get();
  }
  filling_ = newest_;
  filling_->filling = true;
}

void Inbox::retire(Slab& slab) {
  if (slab.waiting != 0 || slab.pinned != 0 || slab.filling) return;
  const auto here =
      std::find_if(slabs_.begin(), slabs_.end(), [&](const auto& one) { return one.get() == &slab; });
  if (here == slabs_.end()) return;
  if (newest_ == &slab) newest_ = nullptr;
  if (spare_.size() < spare_slabs &&
      slab.tape.text.capacity() + slab.tape.words.capacity() * 8 < spare_bytes) {
    slab.tape.clear();
    spare_.push_back(std::move(*here));
  }
  slabs_.erase(here);
}

// --- The I/O thread --------------------------------------------------------------------------------------------------

void Inbox::begin(double now) {
  const Lock lock(mutex_);
  const bool before = is_undecided();
  now_ = now;
  if (before != is_undecided()) renew_view();
  empty_ring_when_settled();
  view_ = next_view_;
  use_slab();
}

void Inbox::add(Item::Kind kind, const json::Document& document, bool has_route, std::string_view route) {
  Item item;
  item.kind = kind;
  item.slab = filling_;
  item.document = document;
  if (has_route) {
    auto& text = filling_->tape.text;
    item.route = text.size();
    item.route_size = route.size();
    text.append(route.data(), route.size());
  }
  item.cost = document.text_size + document.word_count * sizeof(std::uint64_t) + sizeof(Item);
  pending_.push_back(std::move(item));
}

void Inbox::add_unreadable(const json::Document& document) {
  add(Item::Kind::json, document, false, {});
  pending_.back().judge = true;
}

void Inbox::count_unhandled(const std::string& route) {
  constexpr std::size_t most_types = 1000;  // a hostile server must not grow this without end
  const std::lock_guard<std::mutex> lock(unhandled_mutex_);
  ++unhandled_total_;
  const auto here = unhandled_.find(route);
  if (here != unhandled_.end()) {
    ++here->second;
  } else if (unhandled_.size() < most_types) {
    unhandled_.emplace(route, 1);
  } else {
    ++unhandled_["(other)"];
  }
}

bool Inbox::publish(std::uint64_t life, bool closing) {
  const Lock lock(mutex_);
  filling_->filling = false;
  const bool stale = life != life_ || destroyed_;
  for (Item& item : pending_) {
    item.slab->waiting++;
    if (stale || (closing && over_limit())) {
      ++drops_.closed;
      item.slab->waiting--;
    } else {
      place(std::move(item));
    }
  }
  pending_.clear();
  Slab& slab = *filling_;
  filling_ = nullptr;
  retire(slab);
  if (over_limit()) trim_readers();
  paused_ = over_limit();
  // Items that were there before this read could not be taken while their slab was being filled.
  if (!handlers_->items.empty()) handlers_->arrived.notify_one();
  for (auto& reader : readers_) {
    if (!reader.second->items.empty()) reader.second->arrived.notify_one();
  }
  return paused_;
}

void Inbox::first_open(double now) {
  const Lock lock(mutex_);
  now_ = now;
  if (!opened_at_) opened_at_ = now;
}

// --- Notices and lives -----------------------------------------------------------------------------------------------

void Inbox::notify(std::shared_ptr<Notice> notice) {
  const Lock lock(mutex_);
  if (destroyed_) return;
  Item item;
  item.kind = Item::Kind::notice;
  item.notice = std::move(notice);
  item.sequence = ++sequence_;
  handlers_->items.push_back(std::move(item));
  if (!dispatching_) {
    auto& items = handlers_->items;
    while (items.size() > kept_notices) {
      drop(items.front());
      items.pop_front();
    }
  }
  handlers_->arrived.notify_one();
}

void Inbox::complete(Notice& notice, std::uint64_t unsent_messages, std::uint64_t unsent_bytes) {
  const Lock lock(mutex_);
  notice.event.unsent_messages = unsent_messages;
  notice.event.unsent_bytes = unsent_bytes;
  notice.ready = true;
  handlers_->arrived.notify_one();
}

void Inbox::end_life(std::uint64_t life) {
  const Lock lock(mutex_);
  life_ = life;
  drop_messages(handlers_->items, drops_.closed);
  for (auto& reader : readers_) drop_messages(reader.second->items, drops_.closed);
  drop_messages(ring_, drops_.closed);
  ring_bytes_ = 0;
}

void Inbox::set_over(bool over) {
  const Lock lock(mutex_);
  over_ = over;
  if (!over) return;
  for (auto& reader : readers_) reader.second->arrived.notify_all();
}

void Inbox::destroy() {
  const Lock lock(mutex_);
  destroyed_ = true;
  std::uint64_t ignored = 0;
  drop_messages(handlers_->items, ignored);
  handlers_->items.clear();
  for (auto& reader : readers_) drop_messages(reader.second->items, ignored);
  drop_messages(ring_, ignored);
  handlers_->arrived.notify_all();
  for (auto& reader : readers_) reader.second->arrived.notify_all();
}

void Inbox::nudge() {
  const Lock lock(mutex_);
  handlers_->nudged = true;
  handlers_->arrived.notify_all();
}

void Inbox::set_dispatching(bool on) {
  const Lock lock(mutex_);
  dispatching_ = on;
}

// --- Draining --------------------------------------------------------------------------------------------------------

std::shared_ptr<Lane> Inbox::lane_of(std::uint64_t lane) const {
  if (lane == handlers_lane) return handlers_;
  const auto here = readers_.find(lane);
  return here == readers_.end() ? nullptr : here->second;
}

Inbox::Taken Inbox::take(std::uint64_t number, std::size_t limit, std::vector<Item>& out,
                         std::optional<double> until) {
  Lock lock(mutex_);
  const auto available = [](const Item& item) {
    return item.kind == Item::Kind::notice ? item.notice->ready : !item.slab->filling;
  };
  for (;;) {
    const auto lane = lane_of(number);  // found anew after every sleep: a reader may be closed meanwhile
    if (destroyed_ || lane == nullptr) return Taken::over;
    while (out.size() < limit && !lane->items.empty() && available(lane->items.front())) {
      Item& item = lane->items.front();
      if (item.slab != nullptr) item.slab->pinned++;
      out.push_back(std::move(item));
      lane->items.pop_front();
    }
    if (!out.empty()) return Taken::items;
    if (lane->nudged) {
      lane->nudged = false;
      return Taken::nothing;
    }
    if (number != handlers_lane && over_ && lane->items.empty()) return Taken::over;
    const auto now = std::chrono::steady_clock::now();
    const auto limit_point = until ? time_point(*until) : now + std::chrono::hours(1);
    if (until && now >= limit_point) return Taken::nothing;
    sleep_until(lock, lane->arrived, limit_point);
  }
}

bool Inbox::done(std::uint64_t number, std::vector<Item>& worked, std::vector<Item>& back) {
  const Lock lock(mutex_);
  const auto lane = lane_of(number);
  for (Item& item : worked) {
    if (item.slab == nullptr) continue;
    item.slab->pinned--;
    ++handled_;
    drop(item);
  }
  for (auto item = back.rbegin(); item != back.rend(); ++item) {
    if (item->slab != nullptr) item->slab->pinned--;
    const bool stale = destroyed_ || lane == nullptr || (item->slab != nullptr && item->life != life_);
    if (stale) {
      if (item->slab != nullptr) ++drops_.closed;
      drop(*item);
    } else {
      lane->items.push_front(std::move(*item));
    }
  }
  worked.clear();
  back.clear();
  // Reading goes on when half of the room is free again, so that it does not stop and go with every message.
  if (!paused_ || messages_ > limits_.messages / 2 || bytes_ > limits_.bytes / 2) return false;
  paused_ = false;
  return true;
}

void Inbox::count_decode() {
  const Lock lock(mutex_);
  ++drops_.decode;
}

InboxCounts Inbox::counts() const {
  InboxCounts counts;
  {
    const Lock lock(mutex_);
    counts.drops = drops_;
    counts.messages = messages_;
    counts.bytes = bytes_;
    counts.handled = handled_;
  }
  const std::lock_guard<std::mutex> lock(unhandled_mutex_);
  counts.drops.unhandled = unhandled_total_;
  counts.unhandled_by_type.insert(unhandled_.begin(), unhandled_.end());
  return counts;
}

std::vector<std::shared_ptr<Notice>> Inbox::ended_bursts(double now) {
  std::vector<std::shared_ptr<Notice>> ended;
  const Lock lock(mutex_);
  for (auto burst = bursts_.begin(); burst != bursts_.end();) {
    if (now - burst->second->last_at < burst_ends_after) {
      ++burst;
      continue;
    }
    ended.push_back(std::move(burst->second));
    burst = bursts_.erase(burst);
  }
  return ended;
}

std::optional<double> Inbox::burst_check() const {
  const Lock lock(mutex_);
  std::optional<double> check;
  for (const auto& burst : bursts_) {
    const double ends = burst.second->last_at + burst_ends_after;
    if (!check || ends < *check) check = ends;
  }
  return check;
}

}  // namespace fastws::client
