// Lines by the JSON writer; binary as base64 (RFC 4648 section 4).
#include "recorder_lines.hpp"

#include <cstdio>
#include <cstring>

#include "../engine/utf8.hpp"
#include "../json/writer.hpp"

namespace fastws::client {

namespace {

constexpr std::size_t at_once = std::size_t{256} << 10;  // bytes of lines

void write_times(json::Text& out, double wall, double monotonic) {
  char times[96];
  const int size = std::snprintf(times, sizeof times, "{\"at\":%.6f,\"mono\":%.6f", wall, monotonic);
  out.put({times, static_cast<std::size_t>(size)});
}

void write_base64(json::Text& out, std::string_view bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char* to = out.room(bytes.size() / 3 * 4 + 8);
  *to++ = '"';
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t left = bytes.size() - at;
    const auto byte = [&](std::size_t index) {
      return index < left ? std::uint32_t{static_cast<unsigned char>(bytes[at + index])} : 0;
    };
    const std::uint32_t three = byte(0) << 16 | byte(1) << 8 | byte(2);
    *to++ = digits[three >> 18];
    *to++ = digits[three >> 12 & 63];
    *to++ = left > 1 ? digits[three >> 6 & 63] : '=';
    *to++ = left > 2 ? digits[three & 63] : '=';
  }
  *to++ = '"';
  out.set_end(to);
}

/// What a peer sent as a reason may be any bytes.
std::string_view valid(std::string_view text) {
  engine::Utf8Validator validator;
  return validator.feed(text.data(), text.size()) && validator.complete() ? text : std::string_view();
}

void write_line(json::Text& out, const Entry& entry, std::string_view payload, double wall_ahead) {
  write_times(out, entry.at + wall_ahead, entry.at);
  out.put(",\"epoch\":");
  json::write_integer(out, static_cast<std::int64_t>(entry.epoch), ',');
  switch (entry.kind) {
    case Entry::Kind::text:
      out.put("\"kind\":\"text\",\"data\":");
      json::write_string(out, payload, '}');
      break;
    case Entry::Kind::binary:
      out.put("\"kind\":\"binary\",\"data\":");
      write_base64(out, payload);
      out.put('}');
      break;
    case Entry::Kind::connect:
      out.put("\"kind\":\"connect\",\"url\":");
      json::write_string(out, valid(payload), '}');
      break;
    case Entry::Kind::disconnect: {
      const std::size_t end = payload.find('\0');
      out.put("\"kind\":\"disconnect\",\"code\":");
      json::write_integer(out, entry.code, ',');
      out.put("\"initiator\":");
      json::write_string(out, payload.substr(0, end), ',');
      out.put("\"reason\":");
      json::write_string(out, valid(payload.substr(end + 1)), '}');
      break;
    }
    case Entry::Kind::gap:
      out.put("\"kind\":\"gap\",\"count\":");
      json::write_integer(out, static_cast<std::int64_t>(entry.count), '}');
      break;
  }
  out.put('\n');
}

}  // namespace

Entry first_entry(std::string_view entries) {
  Entry entry;
  std::memcpy(&entry, entries.data(), sizeof entry);
  return entry;
}

void write_start(json::Text& out, std::string_view entries, double wall_ahead) {
  const Entry first = first_entry(entries);
  write_times(out, first.at + wall_ahead, first.at);
  out.put(",\"kind\":\"start\",\"version\":1}\n");
}

void write_entries(std::string_view entries, double wall_ahead,
                   const std::function<void(std::string_view lines, std::uint64_t messages)>& sink) {
  while (!entries.empty()) {
    json::Text lines;
    std::uint64_t messages = 0;
    while (!entries.empty() && lines.view().size() < at_once) {
      const Entry entry = first_entry(entries);
      const std::string_view payload = entries.substr(sizeof entry, entry.size);
      write_line(lines, entry, payload, wall_ahead);
      if (entry.kind == Entry::Kind::text || entry.kind == Entry::Kind::binary) ++messages;
      entries.remove_prefix(sizeof entry + entry.size);
    }
    sink(lines.view(), messages);
  }
}

}  // namespace fastws::client
