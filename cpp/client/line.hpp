// The way out of one client: from any sender's thread, through one outbox, onto the connection that is open.
//
// Three locks, taken in this order: `order`, for senders only (framing), so that one at work on a large message delays
// nobody's pong; `wire` (outbox, one non-blocking read or write, closing), held during system calls; `tray`, held only to
// put frames into memory or to take them: senders in a burst need no other, so a write in progress delays none of them.
//
// A send alone is written at once by its thread. In a burst senders leave their frames in the tray, for the I/O thread has
// promised to come (`attended_`): it comes when it was woken, when the socket can be written, and in rounds of some
// 25 to 100 us until it finds that nobody came in between; only then, under both `wire` and `tray`, the promise ends.
// May know: engine/outgoing, net/stream, the alarm. Promises: FIFO per sender; a message accepted in an epoch is written
// on that epoch's stream at most once, or counted as unsent (reconnect-spec R7, R8); while anything waits, the I/O thread
// has been woken for it, waits for the socket, or is to come with its next round.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../engine/deflater.hpp"
#include "../engine/outgoing.hpp"
#include "../net/stream.hpp"
#include "../policy/pace.hpp"
#include "alarm.hpp"
#include "bell.hpp"
#include "departures.hpp"

namespace fastws::client {

/// Whole messages as they go on the wire, and where each ends. Never deflated (RFC 7692 section 6 lets each message choose):
/// who compresses holds `order`, for which nobody here may wait.
struct Frames {
  std::string bytes;
  std::vector<std::size_t> sizes;

  void add(engine::Opcode opcode, std::string_view payload) {
    const std::size_t before = bytes.size();
    engine::append_frame(bytes, opcode, payload);
    sizes.push_back(bytes.size() - before);
  }
  void add(const Frames& more) {
    bytes += more.bytes;
    sizes.insert(sizes.end(), more.sizes.begin(), more.sizes.end());
  }
  /// Empties them; what is large is given back.
  void recycle();
  /// Empties them; all is given back.
  void clear();
};

class Line {
 public:
  enum class Sent : std::uint8_t { accepted, not_open, full };
  struct Unsent {
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
  };

  /// `wake` asks the I/O thread to call flush(); any thread calls it, with no lock held. `bell`: rung when a sender that
  /// was told `full` may try again.
  Line(std::size_t outbox_bytes, std::function<void()> wake, Bell* bell = nullptr)
      : limit_(outbox_bytes), wake_(std::move(wake)), bell_(bell), departures_(bell) {}

  // Senders.

  /// Of these, the first alone is called with the GIL, for it never waits: a small message of a burst.
  enum class Gathered : std::uint8_t {
    no,    // it has to be sent by send()
    yes,   // it is accepted, and the I/O thread will come for it
    much,  // the same, and so much waits by now that it is time to relieve()
  };
  Gathered gather(engine::Opcode opcode, std::string_view payload, std::uint64_t epoch);
  /// Writes what the I/O thread has not come for yet, unless it is just about to.
  void relieve();

  /// `epoch` 0 = whichever is open. `until`: monotonic seconds to wait for room (nullopt = for ever).
  Sent send(engine::Opcode opcode, std::string_view payload, std::uint64_t epoch,
            std::optional<double> until) {
    std::size_t accepted = 0;
    return send_many(opcode, &payload, 1, epoch, until, accepted);
  }
  /// Many messages of one opcode, in order, with as few writes as possible; `accepted` counts them. Anything but
  /// Sent::accepted is about the first that was not taken. None crosses to the next connection.
  Sent send_many(engine::Opcode opcode, const std::string_view* payloads, std::size_t count,
                 std::uint64_t epoch, std::optional<double> until, std::size_t& accepted);
  enum class Write : std::uint8_t { now, at_flush };
  /// What must not wait, from any thread: messages framed plain, behind what waits, even when the outbox is full. False =
  /// this epoch is not open (any more) and nothing was taken. `at_flush`: the I/O thread, which will flush() soon.
  bool push(const Frames& frames, std::uint64_t epoch, Write write);
  /// Waits for what is in the outbox now: until it is written, its connection is lost, or `until`.
  std::shared_ptr<Departures::Watch> watch();
  Departures::Waited await_written(const Departures::Watch& watch, std::optional<double> until);
  /// A control frame (Ping): it goes before waiting messages. False = not open.
  bool send_control(engine::Opcode opcode, std::string_view payload);
  /// From now on nothing more is accepted until the next open() (close() was called).
  void stop_accepting();
  [[nodiscard]] std::uint64_t epoch() const noexcept { return open_epoch_.load(); }
  [[nodiscard]] std::uint64_t waiting_bytes() const noexcept { return waiting_bytes_.load(); }
  [[nodiscard]] std::uint64_t waiting_messages() const noexcept { return waiting_messages_.load(); }
  /// What was ever accepted: messages, and their bytes on the wire.
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_.load(); }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.load(); }
  /// Of those, the messages whose connection ended before they were written.
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.load(); }
  /// No room: a sender would wait.
  [[nodiscard]] bool full() const noexcept { return waiting_bytes_.load() >= limit_; }

  // The I/O thread.

  /// A stream whose opening handshake is under way: only control() is written.
  void attach(net::Stream* stream);
  /// The handshake is done: senders may send, behind `first`. `deflater`: nullptr = messages go plain.
  void open(std::uint64_t epoch, std::shared_ptr<engine::Deflater> deflater, const Frames& first = {});
  net::Moved read(char* data, std::size_t size);
  /// Bytes of the protocol itself: pongs, before waiting messages but between frames. How many of such bytes wait.
  std::size_t control(std::string_view bytes);
  /// Our Close frame: `behind` = after what was accepted before it, else before. Nothing follows it.
  void finish(std::string_view close_frame, bool behind);
  enum class Flush : std::uint8_t {
    empty,
    gathering,  // written; a burst is under way: call again after gather_seconds()
    waiting,    // for the stream to become writable
    broken
  };
  /// Writes what it can without waiting.
  Flush flush();
  /// Nothing has come for a while: what the opening handshake and the last messages left behind is given back.
  void give_back();
  /// After Flush::gathering: seconds until the next call.
  [[nodiscard]] double gather_seconds() const noexcept { return gather_seconds_; }
  /// Ends the epoch: closes the stream and counts what was accepted and not written.
  Unsent shut();

 private:
  using Lock = std::unique_lock<std::mutex>;

  enum class Source : std::uint8_t { none, control, messages, last };
  enum class Step : std::uint8_t { wrote, nothing, waiting, broken };
  enum class Put : std::uint8_t { done, wake, late, lost, much };

  /// Whether there is room, having waited for it with `order` given up; Sent::accepted leaves `order` held.
  Sent await_room(Lock& order, std::uint64_t& epoch, std::optional<double> until);
  Put put(const Frames& frames, std::uint64_t epoch);
  void count(std::size_t messages, std::size_t bytes) noexcept;
  void wait_more(std::size_t messages, std::size_t bytes) noexcept;

  // Under `wire`.
  Put put_framed(const Frames& frames, std::uint64_t epoch, bool burst);
  void attend(bool on);
  void collect();
  Flush rest();
  Step write_step();
  void enqueue(const Frames& frames, std::size_t head);
  bool write_some(const std::string& bytes, std::size_t& head, std::size_t most, Source source);
  bool write_messages(std::size_t most);
  bool write_control();
  [[nodiscard]] bool has_messages() const noexcept { return sizes_head_ < outbox_.sizes.size(); }
  [[nodiscard]] bool has_output() const noexcept;
  void settle_written(std::size_t size);
  void tell_room();

  static constexpr std::size_t write_bytes = std::size_t{64} << 10;  // the most one call writes under `wire`
  static constexpr std::size_t small = std::size_t{4} << 10;  // what costs less to copy than to write alone

  const std::size_t limit_;
  const std::function<void()> wake_;
  Bell* const bell_;

  std::mutex order_;
  Frames framed_;  // guarded by order_, as the next
  policy::Pace pace_;

  std::mutex wire_;
  Alarm room_;
  std::atomic<bool> refused_{false};  // somebody was told `full` and waits elsewhere than on room_
  net::Stream* stream_ = nullptr;
  std::string control_;
  std::size_t control_head_ = 0;
  Frames outbox_;
  std::size_t outbox_head_ = 0;
  std::size_t sizes_head_ =
      0;                      // of the frames in the outbox: the first that is not written, in part or at all
  Departures departures_;     // of the same frames
  bool first_begun_ = false;  // that one is on the wire in part
  // A write that could not be done: TLS wants the very same bytes again before any others.
  Source again_ = Source::none;
  std::string last_;  // our Close frame, behind everything
  std::size_t last_head_ = 0;
  bool finished_ = false;
  bool cut_ = false;  // our Close frame went before the messages that waited: they stay unsent
  bool broken_ = false;
  std::size_t found_ = 0;  // what senders left for the I/O thread in this round
  policy::Rounds rounds_;
  double gather_seconds_ = 0.0;
  Unsent late_;  // accepted while the Close frame went before it

  std::mutex tray_;
  Frames gathered_;  // guarded by tray_: behind the outbox; empty unless attended_
  // Changed under both wire_ and tray_, so that either is enough to read them.
  bool attended_ = false;                       // the I/O thread will call flush(), whatever happens
  std::shared_ptr<engine::Deflater> deflater_;  // used under order_

  std::atomic<std::uint64_t> open_epoch_{0};
  std::atomic<bool> accepting_{false};
  std::atomic<std::uint64_t> waiting_bytes_{0};
  std::atomic<std::uint64_t> waiting_messages_{0};
  std::atomic<std::uint64_t> messages_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> lost_{0};
};

}  // namespace fastws::client
