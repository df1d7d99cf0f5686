// A stream that takes as many bytes as it is told to, and a line on it, for tests of the way out.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "client/gate.hpp"
#include "client/line.hpp"
#include "engine_peer.hpp"
#include "net/loop.hpp"

namespace fastws::client::testing {

using client::Line;
using engine::Opcode;
using engine::peer::frames_in;

/// A stream that takes as many bytes as it is told to, as a slow peer's socket would.
class Narrow : public net::Stream {
 public:
  net::Moved read(char*, std::size_t) override { return {net::Io::again, 0}; }
  net::Moved write(const char* data, std::size_t size) override {
    ++writes;
    if (broken) return {net::Io::error, 0};
    if (!again.empty() && (size < again.size() || again != std::string(data, again.size()))) {
      ADD_FAILURE() << "TLS would refuse: other bytes than those it had begun with";
    }
    const std::size_t taken = std::min(size, room);
    if (taken == 0) {
      again.assign(data, std::min<std::size_t>(size, 16384));
      return {net::Io::again, 0};
    }
    again.clear();
    room -= taken;
    written.append(data, taken);
    return {net::Io::done, taken};
  }
  bool pending() const override { return false; }
  bool read_wants_write() const override { return false; }
  bool write_wants_read() const override { return false; }
  void close() override { closed = true; }
  void reset() override {}
  std::string error() const override { return "broken"; }
  std::string tls_version() const override { return ""; }
  void wait_readable(std::function<void()>) override {}
  void wait_writable(std::function<void()>) override {}
  void cancel_waits() override {}

  std::size_t room = std::size_t{1} << 40;
  std::size_t writes = 0;
  std::string again;
  std::string written;
  bool closed = false;
  bool broken = false;
};

/// What a server reads: each frame as "opcode:payload".
using Frames = std::vector<std::string>;

/// A line that is open, for epoch 7, on such a stream.
struct OnNarrow {
  explicit OnNarrow(std::size_t limit = std::size_t{16} << 20) : line(limit, [this] { ++woken; }) {
    line.attach(&stream);
    line.open(7, nullptr);
  }
  Line::Sent send(const std::string& text, std::uint64_t epoch = 0, double seconds = 0.0) {
    const Inside inside;
    return line.send(Opcode::text, text, epoch, net::monotonic_now() + seconds);
  }
  /// Its connection ends, and the next one opens on this stream.
  void reconnect(net::Stream& next, std::uint64_t epoch = 8) {
    line.shut();
    line.attach(&next);
    line.open(epoch, nullptr);
  }
  /// As often as the I/O thread would, which comes once more than there was something: how the last one ended.
  Line::Flush flush() {
    for (;;) {
      const Line::Flush flushed = line.flush();
      if (flushed != Line::Flush::gathering) return flushed;
    }
  }
  /// Sends until it is a burst: the I/O thread was woken, and will come. How many that took.
  int begin_burst() {
    const int before = woken;
    int sent = 0;
    while (woken == before) {
      EXPECT_EQ(send(std::to_string(sent)), Line::Sent::accepted);
      ++sent;
    }
    return sent;
  }

  Narrow stream;
  int woken = 0;
  Line line;
};

}  // namespace fastws::client::testing
