// Sticky messages (reconnect-spec R10): what must be sent on every connection, by key, in order of insertion.
//
// May know: the line. Promises: any thread; never waits for room; each key's value goes out once per connection, however
// often it is set (the newest few values of a key are remembered); nobody can set one between a connection's replay and its
// opening. It survives close().
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "line.hpp"

namespace fastws::client {

class Sticky {
 public:
  explicit Sticky(Line& line) : line_(line) {}

  /// A new key goes last, a new value keeps its key's place. True = it was sent on the open connection, now or before.
  bool set(const std::string& key, std::string_view text, bool after_connect);
  /// Forgets it, and what was sent of it. False = there was none.
  bool unset(const std::string& key);

  // The present connection.

  /// Opens the line, with those that go before `connect` handlers in front.
  void open(std::uint64_t epoch, std::shared_ptr<engine::Deflater> deflater);
  /// The handlers of this epoch's `connect` have returned: sends those that follow them.
  void release(std::uint64_t epoch);

 private:
  struct Entry {
    std::string key;
    std::string text;
    bool after_connect = false;
    std::vector<std::string> sent;  // on the connection of `epoch`, oldest first
    std::uint64_t epoch = 0;
  };

  static constexpr std::size_t remembered = 64;  // values of one key on one connection

  [[nodiscard]] static bool was_sent(const Entry& entry, std::uint64_t epoch);
  static void note_sent(Entry& entry, std::uint64_t epoch);

  Line& line_;
  std::mutex mutex_;
  std::vector<Entry> entries_;
  std::uint64_t released_ = 0;  // the newest epoch whose handlers have returned
};

}  // namespace fastws::client
