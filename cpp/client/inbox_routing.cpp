// Who gets a message (api section 4): handlers observe, readers consume, the ring keeps what nobody has claimed yet.
//
// Everything here runs under the inbox's mutex, but for wanted() and binary_wanted(), which read the I/O thread's view.
#include <algorithm>
#include <utility>

#include "inbox.hpp"

namespace fastws::client {

namespace {

constexpr std::size_t ring_messages = 1024;
constexpr std::size_t ring_limit_bytes = std::size_t{4} << 20;

}  // namespace

// --- What the I/O thread asks ----------------------------------------------------------------------------------------

bool Inbox::wanted(bool has_route, std::string_view route) const {
  if (view_->handlers.wants(has_route, route)) return true;
  return std::any_of(view_->readers.begin(), view_->readers.end(),
                     [&](const Wishes& wishes) { return wishes.wants(has_route, route); });
}

bool Inbox::binary_wanted() const {
  if (view_->handlers.binary()) return true;
  return std::any_of(view_->readers.begin(), view_->readers.end(),
                     [](const Wishes& wishes) { return wishes.binary(); });
}

bool Inbox::is_undecided(double now) const noexcept {
  if (!claimed_ || !opened_at_) return true;
  return now < std::max(*opened_at_, latest_on_) + limits_.settle;
}

void Inbox::renew_view() {
  auto view = std::make_shared<View>();
  view->handlers = handlers_->wishes;
  for (const auto& reader : readers_) view->readers.push_back(reader.second->wishes);
  view->undecided = is_undecided(now_);
  next_view_ = std::move(view);
}

// --- Placing ---------------------------------------------------------------------------------------------------------

Lane* Inbox::reader_for(const Item& item, std::string_view route) {
  // Whoever names the route goes before whoever takes everything.
  Lane* general = nullptr;
  for (auto& reader : readers_) {
    const Wishes& wishes = reader.second->wishes;
    if (item.kind == Item::Kind::binary ? !wishes.binary() : !wishes.wants(item.has_route(), route)) continue;
    if (!wishes.everything()) return reader.second.get();
    if (general == nullptr) general = reader.second.get();
  }
  return general;
}

void Inbox::place(Item&& item) {
  item.sequence = ++sequence_;
  item.life = static_cast<std::uint32_t>(life_);
  const std::string_view route = item.route_text();
  const Wishes& wishes = handlers_->wishes;
  const bool handled =
      item.mark == Item::Mark::judge ||
      (item.kind == Item::Kind::binary ? wishes.binary() : wishes.wants(item.has_route(), route));
  Lane* reader = reader_for(item, route);
  if (handled && reader != nullptr) {
    Item copy = item;
    copy.handled = true;
    copy.slab->waiting++;
    push(*reader, std::move(copy), true);
  }
  const bool much_waits = handlers_->items.size() >= std::min(kept_notices, limits_.messages / 2) ||
                          all_.bytes + item.cost() > limits_.bytes / 2;
  if (item.mark == Item::Mark::judge && !dispatching_ && much_waits) {
    // Nobody drains this queue: a server that sends nothing but garbage must not fill the inbox and stop the reading.
    ++drops_.decode;
    item.slab->waiting--;
  } else if (handled) {
    push(*handlers_, std::move(item), true);
  } else if (reader != nullptr) {
    push(*reader, std::move(item), true);
  } else if (is_undecided(now_)) {
    keep_in_ring(std::move(item));
  } else {
    count_unhandled(item.kind == Item::Kind::binary ? "binary" : route);
    item.slab->waiting--;
  }
}

// --- The ring --------------------------------------------------------------------------------------------------------

void Inbox::keep_in_ring(Item&& item) {
  ring_bytes_ += item.cost();
  ring_.push_back(std::move(item));
  while (ring_.size() > ring_messages || (ring_bytes_ > ring_limit_bytes && ring_.size() > 1)) {
    Item& oldest = ring_.front();
    ring_bytes_ -= oldest.cost();
    if (!oldest.handled) count_drop("unclaimed", {}, drops_.unclaimed);
    leave(oldest);
    ring_.pop_front();
  }
}

void Inbox::claim() {
  std::list<Item> left;
  for (Item& item : ring_) {
    const std::string_view route = item.route_text();
    const Wishes& wishes = handlers_->wishes;
    const bool wanted =
        item.kind == Item::Kind::binary ? wishes.binary() : wishes.wants(item.has_route(), route);
    // What handlers had is for a reader only: to them it would come a second time.
    Lane* lane = wanted && !item.handled ? handlers_.get() : reader_for(item, route);
    if (lane == nullptr) {
      left.push_back(std::move(item));
      continue;
    }
    ring_bytes_ -= item.cost();
    push(*lane, std::move(item), false);
    wake(*lane);
  }
  ring_ = std::move(left);
}

void Inbox::empty_ring_when_settled() {
  if (is_undecided(now_) || ring_.empty()) return;
  for (Item& item : ring_) {
    if (!item.handled) {
      count_unhandled(item.kind == Item::Kind::binary ? "binary" : item.route_text());
    }
    leave(item);
  }
  ring_.clear();
  ring_bytes_ = 0;
}

bool Inbox::set_handlers(Wishes wishes, double now) {
  const Lock lock(mutex_);
  now_ = std::max(now_, now);
  latest_on_ = now;
  claimed_ = claimed_ || wishes.any();
  handlers_->wishes = std::move(wishes);
  claim();
  renew_view();
  return goes_on();
}

std::uint64_t Inbox::open_reader(Wishes wishes) {
  const Lock lock(mutex_);
  claimed_ = true;
  const std::uint64_t number = next_reader_++;
  auto lane = std::make_shared<Lane>();
  lane->wishes = std::move(wishes);
  readers_.emplace(number, std::move(lane));
  claim();
  renew_view();
  return number;
}

bool Inbox::close_reader(std::uint64_t reader, double now) {
  const Lock lock(mutex_);
  const auto here = readers_.find(reader);
  if (here == readers_.end()) return false;
  const std::shared_ptr<Lane> lane = here->second;
  readers_.erase(here);
  now_ = std::max(now_, now);
  latest_on_ = now_;  // a loop that was left and begun again must not lose what lies between
  lane->items.remove_messages([&](Item& item) {
    all_.take(item);
    waiting_.take(item);
    if (!droppable(item.policy)) readers_fixed_.take(item);
    keep_in_ring(std::move(item));
  });
  lane->arrived.wake_all();
  claim();
  renew_view();
  return goes_on();
}

}  // namespace fastws::client
