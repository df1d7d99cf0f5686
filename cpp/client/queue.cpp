// Items are found by their sequence, which grows along the queue, so that nothing here holds a place that can move.
#include "queue.hpp"

#include <algorithm>
#include <utility>

namespace fastws::client {

namespace {

constexpr std::size_t few_holes = 64;

void insert_sorted(std::deque<std::uint64_t>& sequences, std::uint64_t sequence) {
  if (sequences.empty() || sequences.back() < sequence) {
    sequences.push_back(sequence);
  } else {
    sequences.insert(std::lower_bound(sequences.begin(), sequences.end(), sequence), sequence);
  }
}

void erase_sorted(std::deque<std::uint64_t>& sequences, std::uint64_t sequence) {
  if (sequences.front() == sequence) {
    sequences.pop_front();
  } else if (sequences.back() == sequence) {
    sequences.pop_back();
  } else {
    sequences.erase(std::lower_bound(sequences.begin(), sequences.end(), sequence));
  }
}

bool before(const Item& item, std::uint64_t sequence) { return item.sequence < sequence; }

}  // namespace

std::deque<Item>::iterator Queue::find(std::uint64_t sequence) {
  return std::lower_bound(items_->begin(), items_->end(), sequence, before);
}

const std::string& Queue::Index::identity_of(const Item& item) {
  // 0xff is in no UTF-8 text, so no route with no key reads like another pair.
  scratch.assign(item.route_text());
  scratch += item.has_route() ? '\xff' : '\xfe';
  scratch += item.identity_text();
  return scratch;
}

void Queue::note(const Item& item) {
  if (item.policy == Policy::Kind::pause) return;
  if (index_ == nullptr) index_ = std::make_unique<Index>();
  switch (item.policy) {
    case Policy::Kind::pause: break;
    case Policy::Kind::drop_oldest: insert_sorted(index_->oldest, item.sequence); break;
    case Policy::Kind::drop_newest: insert_sorted(index_->newest, item.sequence); break;
    case Policy::Kind::latest: index_->latest[index_->identity_of(item)] = item.sequence; break;
  }
}

void Queue::forget(const Item& item) {
  switch (item.policy) {
    case Policy::Kind::pause: break;
    case Policy::Kind::drop_oldest: erase_sorted(index_->oldest, item.sequence); break;
    case Policy::Kind::drop_newest: erase_sorted(index_->newest, item.sequence); break;
    case Policy::Kind::latest: index_->latest.erase(index_->identity_of(item)); break;
  }
}

void Queue::push(Item&& item) {
  note(item);
  if (items_ == nullptr) items_ = std::make_unique<std::deque<Item>>();
  if (items_->empty() || items_->back().sequence < item.sequence) {
    items_->push_back(std::move(item));
  } else if (item.sequence < items_->front().sequence) {
    items_->push_front(std::move(item));
  } else {
    items_->insert(find(item.sequence), std::move(item));
  }
}

Item Queue::pop() {
  Item item = std::move(items_->front());
  items_->pop_front();
  forget(item);
  close_holes();
  return item;
}

std::optional<Item> Queue::conflate(Item& item) {
  if (index_ == nullptr) return std::nullopt;
  const auto here = index_->latest.find(index_->identity_of(item));
  if (here == index_->latest.end()) return std::nullopt;
  const auto at = find(here->second);
  const std::uint64_t place = at->sequence;
  const bool newer = item.arrived > at->arrived || (item.arrived == at->arrived && item.sequence > place);
  const bool earlier = item.sequence < place;
  if (newer) {
    std::swap(*at, item);
    at->sequence = place;
    return std::move(item);
  }
  if (!earlier) return std::move(item);
  // An old one that came back: what is newer takes its place in front.
  Item kept = remove(place);
  kept.sequence = item.sequence;
  push(std::move(kept));
  return std::move(item);
}

std::uint64_t Queue::oldest_droppable(std::uint64_t except) const noexcept {
  if (index_ == nullptr || index_->oldest.empty()) return 0;
  if (index_->oldest.front() != except) return index_->oldest.front();
  return index_->oldest.size() > 1 ? index_->oldest[1] : 0;
}

std::uint64_t Queue::newest_droppable() const noexcept {
  return index_ == nullptr || index_->newest.empty() ? 0 : index_->newest.back();
}

Item Queue::remove(std::uint64_t sequence) {
  const auto at = find(sequence);
  forget(*at);
  Item item = std::exchange(*at, Item{});
  at->sequence = sequence;
  ++holes_;
  close_holes();
  return item;
}

void Queue::close_holes() {
  if (holes_ == 0) return;
  const auto is_hole = [](const Item& item) { return item.gone(); };
  while (!items_->empty() && is_hole(items_->front())) {
    items_->pop_front();
    --holes_;
  }
  while (!items_->empty() && is_hole(items_->back())) {
    items_->pop_back();
    --holes_;
  }
  if (holes_ <= few_holes || holes_ <= items_->size() / 2) return;
  items_->erase(std::remove_if(items_->begin(), items_->end(), is_hole), items_->end());
  holes_ = 0;
}

}  // namespace fastws::client
