// What a full inbox loses and when reading pauses (api section 4, "Overflow"), and how the memory of what was lost comes
// back.
//
// Everything here runs under the inbox's mutex. In a client with message handlers, what waits for readers goes first; then
// each message by its route's policy; only when nothing is left that may go does reading pause.
#include <algorithm>
#include <utility>

#include "inbox.hpp"

namespace fastws::client {

namespace {

constexpr std::size_t slack_bytes = std::size_t{1} << 20;  // what slabs may hold beyond twice of what waits
constexpr std::size_t most_bursts = 256;    // a hostile server's routes must not grow this without end,
constexpr std::size_t longest_route = 256;  // and those that are longer (bytes) are told together

void move_out(Item& item, Slab& to) {
  const std::string_view route = item.route_text();
  const std::string_view identity = item.identity_text();
  const json::Document moved = json::append_copy(to.tape, item.slab->tape, item.document());
  to.tape.text.append(route.data(), route.size());
  to.tape.text.append(identity.data(), identity.size());
  item.slab->waiting--;
  to.waiting++;
  item.set_document(moved);
  item.slab = &to;
}

}  // namespace

// --- Pushing ---------------------------------------------------------------------------------------------------------

void Inbox::push(Lane& lane, Item&& item, bool news) {
  const std::uint64_t sequence = item.sequence;
  const Policy::Kind policy = item.policy;
  Load& fixed = fixed_of(&lane == handlers_.get());
  all_.add(item);
  waiting_.add(item);
  if (!droppable(policy)) fixed.add(item);
  if (policy != Policy::Kind::latest) {
    lane.items.push(std::move(item));
  } else if (auto gone = lane.items.conflate(item)) {
    ++drops_.conflated;
    waiting_.take(*gone);
    fixed.take(*gone);
    drop(*gone);
  } else {
    lane.items.push(std::move(item));
  }
  if (crowded()) make_room(lane, sequence, policy, news);
}

/// Checked after the push: one message of any size passes an empty inbox.
bool Inbox::crowded() const noexcept {
  return waiting_.messages > 1 && (waiting_.messages > limits_.messages || waiting_.bytes > limits_.bytes);
}

void Inbox::make_room(Lane& lane, std::uint64_t sequence, Policy::Kind policy, bool news) {
  const bool for_handlers = &lane == handlers_.get();
  const bool readers_follow_policies = !handlers_->wishes.any();
  const bool may_go = droppable(policy) && (for_handlers || readers_follow_policies);
  while (crowded()) {
    if (!readers_follow_policies && drop_unread()) continue;
    const bool goes_itself = may_go && news && policy == Policy::Kind::drop_newest;
    if (!goes_itself && drop_droppable(news ? sequence : 0)) continue;
    if (may_go && news) lose(lane, sequence, "overflow", true, drops_.overflow);
    return;
  }
}

bool Inbox::drop_unread() {
  Lane* oldest = nullptr;
  for (auto& reader : readers_) {
    Lane& lane = *reader.second;
    if (lane.items.empty()) continue;
    if (oldest == nullptr || lane.items.front().sequence < oldest->items.front().sequence) oldest = &lane;
  }
  if (oldest == nullptr) return false;
  lose(*oldest, oldest->items.front().sequence, "unread", false, drops_.unread);
  return true;
}

/// The oldest waiting drop_oldest message goes, else the newest drop_newest one; never `except`, which just came.
bool Inbox::drop_droppable(std::uint64_t except) {
  Lane* oldest_in = nullptr;
  Lane* newest_in = nullptr;
  std::uint64_t oldest = 0;
  std::uint64_t newest = 0;
  const auto look = [&](Lane& lane) {
    const std::uint64_t first = lane.items.oldest_droppable(except);
    const std::uint64_t last = lane.items.newest_droppable();
    if (first != 0 && (oldest == 0 || first < oldest)) oldest = first, oldest_in = &lane;
    if (last > newest) newest = last, newest_in = &lane;
  };
  look(*handlers_);
  if (!handlers_->wishes.any()) {
    for (auto& reader : readers_) look(*reader.second);
  }
  if (oldest_in == nullptr && newest_in == nullptr) return false;
  lose(oldest_in != nullptr ? *oldest_in : *newest_in, oldest_in != nullptr ? oldest : newest, "overflow",
       true, drops_.overflow);
  return true;
}

void Inbox::lose(Lane& lane, std::uint64_t sequence, const char* cause, bool with_route,
                 std::uint64_t& counter) {
  Item item = lane.items.remove(sequence);
  count_drop(cause, with_route ? item.route_text() : std::string_view(), counter);
  waiting_.take(item);
  if (!droppable(item.policy)) fixed_of(&lane == handlers_.get()).take(item);
  drop(item);
}

void Inbox::count_drop(const char* cause, std::string_view route, std::uint64_t& counter) {
  ++counter;
  if (route.size() > longest_route) route = {};
  std::string key(cause);
  key.append(1, '\0').append(route);
  auto here = losses_.find(key);
  if (here == losses_.end()) {
    if (losses_.size() >= most_bursts && !route.empty()) {
      --counter;
      count_drop(cause, {}, counter);
      return;
    }
    here = losses_.emplace(std::move(key), Loss{cause, std::string(route), life_, {}}).first;
    if (losses_.size() == 1 && burst_begins_) burst_begins_();
  }
  here->second.burst.add(1, now_);
}

// --- Pausing ---------------------------------------------------------------------------------------------------------

/// What keeps reading paused: messages that nobody may drop.
Load Inbox::pausing() const noexcept {
  Load load = handlers_fixed_;
  if (handlers_->wishes.any()) return load;
  load.messages += readers_fixed_.messages;
  load.bytes += readers_fixed_.bytes;
  return load;
}

bool Inbox::over_limit() const noexcept {
  const Load load = pausing();
  return load.messages >= limits_.messages || load.bytes >= limits_.bytes;
}

/// Reading goes on when half of the room is free again, so that it does not stop and go with every message.
bool Inbox::goes_on() {
  if (!paused_) return false;
  const Load load = pausing();
  if (load.messages > limits_.messages / 2 || load.bytes > limits_.bytes / 2) return false;
  paused_ = false;
  return true;
}

// --- Memory ----------------------------------------------------------------------------------------------------------

/// A message that waits keeps its whole slab, whatever became of the others in it. When slabs hold much more than what
/// waits, what is left of the emptier ones moves together, and they go free. Each time at least as much must have been
/// read as waits, so a message costs a few instructions, however much waits.
void Inbox::gather() {
  const auto each = [&](auto visit) {
    handlers_->items.each(visit);
    for (auto& reader : readers_) reader.second->items.each(visit);
    for (Item& item : ring_) visit(item);
  };
  const std::size_t waits = all_.bytes + ring_bytes_;
  if (held_ <= 2 * waits + slack_bytes || read_since_ < std::max(waits, slack_bytes / 2)) return;
  read_since_ = 0;
  for (auto& slab : slabs_) slab->alive = 0;
  each([](Item& item) {
    if (item.slab != nullptr) item.slab->alive += item.size();
  });
  Slab* to = nullptr;
  std::vector<Slab*> left;
  for (auto& slab : slabs_) {
    if (slab->waiting != 0 && slab->alive < slab->bytes() / 2) left.push_back(slab.get());
  }
  std::sort(left.begin(), left.end());
  each([&](Item& item) {
    if (item.slab == nullptr || !std::binary_search(left.begin(), left.end(), item.slab)) return;
    if (to == nullptr || to->bytes() >= Slab::full) to = &take_slab();
    move_out(item, *to);
  });
  for (Slab* slab : left) retire(*slab);
  held_ = 0;
  for (auto& slab : slabs_) {
    slab->counted = slab->bytes();
    held_ += slab->counted;
  }
}

}  // namespace fastws::client
