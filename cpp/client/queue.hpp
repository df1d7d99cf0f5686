// What waits for one consumer, in order of arrival, with what a full inbox wants to know of it: the oldest and the newest
// message that may be dropped, and where the unread message of a route and key waits.
//
// May know: slabs. Promises: guarded by the inbox's mutex; nothing here is linear in what waits but for an item that
// comes out of order; a message that goes from the middle leaves a hole, and holes never outnumber what waits for long; what
// was given back holds no memory.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "slab.hpp"

namespace fastws::client {

class Queue {
 public:
  [[nodiscard]] bool empty() const noexcept { return items_ == nullptr || items_->empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return items_ == nullptr ? 0 : items_->size() - holes_; }
  [[nodiscard]] Item& front() noexcept { return items_->front(); }  // never a hole
  [[nodiscard]] const Item& front() const noexcept { return items_->front(); }

  /// At its place by sequence: claimed messages are older than what waits already; all others belong at the end.
  void push(Item&& item);
  Item pop();

  /// Latest: an unread message of this one's route and key goes out, and this one takes its place. nullopt: none waits,
  /// push() is due. Which of the two is the older one is told by when they came: `item` may be the one that goes.
  std::optional<Item> conflate(Item& item);

  /// Sequence of the oldest drop_oldest message but for `except`, of the newest drop_newest one; 0 = there is none.
  [[nodiscard]] std::uint64_t oldest_droppable(std::uint64_t except) const noexcept;
  [[nodiscard]] std::uint64_t newest_droppable() const noexcept;
  /// Takes a waiting item out. `sequence` must be one.
  Item remove(std::uint64_t sequence);

  /// Nothing has come for a while: an empty queue lets its memory go.
  void give_back() noexcept {
    if (!empty()) return;
    items_.reset();
    index_.reset();
  }

  /// Calls `visit` for everything that waits.
  template <class Visit>
  void each(Visit visit) {
    if (items_ == nullptr) return;
    for (Item& item : *items_) {
      if (!item.gone()) visit(item);
    }
  }
  /// Takes all messages out, and calls `visit` for each; notices stay.
  template <class Visit>
  void remove_messages(Visit visit) {
    if (items_ == nullptr) return;
    const auto all = std::exchange(items_, nullptr);
    holes_ = 0;
    index_.reset();
    for (Item& item : *all) {
      if (item.kind == Item::Kind::notice) {
        push(std::move(item));
      } else if (!item.gone()) {
        visit(item);
      }
    }
  }

 private:
  /// Of what a policy may take or replace.
  struct Index {
    std::deque<std::uint64_t> oldest, newest;               // sequences of droppable items, in order
    std::unordered_map<std::string, std::uint64_t> latest;  // sequences by route and key
    std::string scratch;

    const std::string& identity_of(const Item& item);
  };

  [[nodiscard]] std::deque<Item>::iterator find(std::uint64_t sequence);
  void note(const Item& item);
  void forget(const Item& item);
  void close_holes();

  // Each is made when it is first needed: libstdc++'s deques take 600 bytes as they are made, which a thousand idle
  // connections need not have.
  std::unique_ptr<std::deque<Item>> items_;  // sequences grow
  std::size_t holes_ = 0;                    // neither the first nor the last item is one
  std::unique_ptr<Index> index_;
};

}  // namespace fastws::client
