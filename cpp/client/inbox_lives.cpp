// The inbox in the client's life: notices of what happened, and the ends of lives.
//
// May know: what inbox.hpp knows. Promises: notices are never lost to a limit while somebody drains them; whoever sleeps on a
// queue hears of the end.
#include <utility>

#include "inbox.hpp"

namespace fastws::client {

void Inbox::notify(std::shared_ptr<Notice> notice) {
  const Lock lock(mutex_);
  if (destroyed_) return;
  Item item;
  item.kind = Item::Kind::notice;
  item.notice = std::move(notice);
  item.sequence = ++sequence_;
  handlers_->items.push(std::move(item));
  if (!dispatching_) trim_notices();
  wake(*handlers_);
}

/// Nobody drains the handlers' queue: the oldest notice goes, and no message, for its loss would be counted nowhere.
void Inbox::trim_notices() {
  std::size_t notices = 0;
  std::uint64_t oldest = 0;
  handlers_->items.each([&](const Item& item) {
    if (item.kind == Item::Kind::notice && notices++ == 0) oldest = item.sequence;
  });
  if (notices > kept_notices) handlers_->items.remove(oldest);
}

void Inbox::complete(Notice& notice, std::uint64_t unsent_messages, std::uint64_t unsent_bytes) {
  const Lock lock(mutex_);
  notice.event.unsent_messages = unsent_messages;
  notice.event.unsent_bytes = unsent_bytes;
  notice.ready = true;
  wake(*handlers_);
}

void Inbox::end_life(std::uint64_t life) {
  const Lock lock(mutex_);
  life_ = life;
  drop_messages(*handlers_, drops_.closed);
  for (auto& reader : readers_) drop_messages(*reader.second, drops_.closed);
  drop_ring(drops_.closed);
}

void Inbox::set_over(bool over) {
  const Lock lock(mutex_);
  over_ = over;
  if (!over) return;
  for (auto& reader : readers_) reader.second->arrived.wake_all();
}

void Inbox::destroy() {
  const Lock lock(mutex_);
  destroyed_ = true;
  std::uint64_t ignored = 0;
  drop_messages(*handlers_, ignored);
  handlers_->items = {};
  for (auto& reader : readers_) drop_messages(*reader.second, ignored);
  drop_ring(ignored);
  handlers_->arrived.wake_all();
  for (auto& reader : readers_) reader.second->arrived.wake_all();
}

void Inbox::wake(Lane& lane) {
  lane.arrived.wake_one();
  if (!lane.found_empty) return;
  lane.found_empty = false;
  if (bell_ != nullptr) bell_->ring();
}

void Inbox::nudge() {
  const Lock lock(mutex_);
  handlers_->nudged = true;
  handlers_->arrived.wake_all();
}

void Inbox::set_dispatching(bool on) {
  const Lock lock(mutex_);
  dispatching_ = on;
}

}  // namespace fastws::client
