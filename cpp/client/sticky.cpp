// The table and the line change together, under one mutex: that is what leaves no gap between replay and opening.
#include "sticky.hpp"

#include <algorithm>
#include <utility>

namespace fastws::client {

bool Sticky::was_sent(const Entry& entry, std::uint64_t epoch) {
  return entry.epoch == epoch &&
         std::find(entry.sent.begin(), entry.sent.end(), entry.text) != entry.sent.end();
}

void Sticky::note_sent(Entry& entry, std::uint64_t epoch) {
  if (entry.epoch != epoch) entry.sent.clear();
  entry.epoch = epoch;
  if (entry.sent.size() == remembered) entry.sent.erase(entry.sent.begin());
  entry.sent.push_back(entry.text);
}

bool Sticky::set(const std::string& key, std::string_view text, bool after_connect) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto entry =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return one.key == key; });
  if (entry == entries_.end()) entry = entries_.insert(entries_.end(), Entry{key, {}, false, {}, 0});
  entry->text = text;
  entry->after_connect = after_connect;
  const std::uint64_t epoch = line_.epoch();
  if (epoch == 0) return false;
  if (was_sent(*entry, epoch)) return true;
  if (after_connect && released_ != epoch) return false;  // release() sends it
  Frames frames;
  frames.add(engine::Opcode::text, text);
  if (!line_.push(frames, epoch, Line::Write::now)) return false;
  note_sent(*entry, epoch);
  return true;
}

bool Sticky::unset(const std::string& key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return one.key == key; });
  if (entry == entries_.end()) return false;
  entries_.erase(entry);
  return true;
}

void Sticky::open(std::uint64_t epoch, std::shared_ptr<engine::Deflater> deflater) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Frames first;
  for (Entry& entry : entries_) {
    if (entry.after_connect) continue;
    first.add(engine::Opcode::text, entry.text);
    note_sent(entry, epoch);
  }
  line_.open(epoch, std::move(deflater), first);
}

void Sticky::release(std::uint64_t epoch) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (released_ == epoch || line_.epoch() != epoch) return;
  released_ = epoch;
  for (Entry& entry : entries_) {
    if (!entry.after_connect || was_sent(entry, epoch)) continue;
    Frames frames;
    frames.add(engine::Opcode::text, entry.text);
    if (!line_.push(frames, epoch, Line::Write::now)) return;
    note_sent(entry, epoch);
  }
}

}  // namespace fastws::client
