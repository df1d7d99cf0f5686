// What a recorder is told, as entries in a flat buffer, and as the lines of its file (docs/recording.md).
//
// May know: json/writer. Promises: no I/O; a line for each entry, in order, valid JSON in ASCII and UTF-8 whatever the
// peer sent.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "../json/text.hpp"

namespace fastws::client {

/// The fixed part of an entry; `size` bytes follow it: the message, the URL, or initiator, zero byte, reason.
struct Entry {
  enum class Kind : std::uint8_t { text, binary, connect, disconnect, gap };
  Kind kind = Kind::text;
  std::uint16_t code = 0;  // disconnect
  std::uint64_t epoch = 0;
  std::uint64_t count = 0;  // gap: messages that are missing here
  double at = 0.0;          // monotonic seconds
  std::uint64_t size = 0;

  static Entry message(std::uint64_t epoch, bool binary, double at, std::size_t size) {
    return {binary ? Kind::binary : Kind::text, 0, epoch, 0, at, size};
  }
  static Entry connect(std::uint64_t epoch, double at, std::size_t size) {
    return {Kind::connect, 0, epoch, 0, at, size};
  }
  static Entry disconnect(std::uint64_t epoch, double at, std::uint16_t code, std::size_t size) {
    return {Kind::disconnect, code, epoch, 0, at, size};
  }
  static Entry gap(std::uint64_t epoch, double at, std::uint64_t count) {
    return {Kind::gap, 0, epoch, count, at, 0};
  }
};

/// The fixed part of the first of these entries; there is one.
Entry first_entry(std::string_view entries);

/// The first line of a session, which begins with these entries.
void write_start(json::Text& out, std::string_view entries, double wall_ahead);

/// Turns entries into lines, and gives them to `sink` some whole lines at a time, with how many messages are in them.
/// `wall_ahead`: the wall clock less the monotonic one.
void write_entries(std::string_view entries, double wall_ahead,
                   const std::function<void(std::string_view lines, std::uint64_t messages)>& sink);

}  // namespace fastws::client
