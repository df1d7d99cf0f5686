// The bounded hand-over from the I/O thread to Python: one queue for handlers, one for each reader, one ring for what
// nobody has claimed yet (api section 4).
//
// May know: slabs, wishes, the alarm. Promises: order of arrival in every queue; lifecycle notices are never dropped by a
// limit; filled by one thread, drained by one thread per queue; nothing here takes the GIL.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../policy/burst.hpp"
#include "alarm.hpp"
#include "bell.hpp"
#include "overflow.hpp"
#include "queue.hpp"
#include "routes.hpp"
#include "slab.hpp"
#include "type_counts.hpp"

namespace fastws::client {

/// One queue: items in order of arrival, and the alarm its consumer sleeps on.
struct Lane {
  Wishes wishes;
  Queue items;
  Alarm arrived;
  bool nudged = false;
  bool found_empty = false;  // its consumer looked without sleeping: the bell tells it of the next item
};

struct InboxLimits {
  std::size_t messages = 1000000;
  std::size_t bytes = std::size_t{256} << 20;
  double settle = 1.0;
};

/// A number of messages, and what they take.
struct Load {
  std::size_t messages = 0;
  std::size_t bytes = 0;
  void add(const Item& item) noexcept { ++messages, bytes += item.cost(); }
  void take(const Item& item) noexcept { --messages, bytes -= item.cost(); }
};

/// How many messages were dropped, by cause.
struct Drops {
  std::uint64_t unhandled = 0;
  std::uint64_t unclaimed = 0;
  std::uint64_t unread = 0;
  std::uint64_t overflow = 0;
  std::uint64_t conflated = 0;
  std::uint64_t closed = 0;
  std::uint64_t decode = 0;
};

/// A look at the inbox for stats().
struct InboxCounts {
  Drops drops;
  std::map<std::string, std::uint64_t> unhandled_by_type;
  std::size_t messages = 0;
  std::size_t bytes = 0;
  std::size_t held = 0;  // bytes of the slabs that they are in
  std::uint64_t handled = 0;
};

class Inbox {
 public:
  enum class Taken : std::uint8_t { items, nothing, over };
  static constexpr std::size_t kept_notices = 256;   // of a client that has no dispatcher
  static constexpr std::uint64_t handlers_lane = 0;  // readers are numbered from 1
  static constexpr std::uint64_t no_life =
      static_cast<std::uint64_t>(-1);  // of messages that nobody is to get

  /// `bell`: rung for a consumer that found its queue empty, once there is something to take.
  /// `overflow` may be others' as well. `burst_begins`: called, under the inbox's mutex, by whoever drops the first message
  /// of a burst while none goes on; burst_check() is due.
  Inbox(InboxLimits limits, std::shared_ptr<const Overflow> overflow, Bell* bell,
        std::function<void()> burst_begins = {});
  explicit Inbox(InboxLimits limits, Overflow overflow = {}, Bell* bell = nullptr,
                 std::function<void()> burst_begins = {})
      : Inbox(limits, std::make_shared<const Overflow>(std::move(overflow)), bell, std::move(burst_begins)) {}

  // The I/O thread. Between begin() and publish() the messages of one socket read are added; nobody sees them before.

  void begin(double now);
  [[nodiscard]] bool wanted(bool has_route, std::string_view route) const;
  [[nodiscard]] bool binary_wanted() const;
  /// Nobody wants a message now, but somebody still may: it is kept for a while, unparsed.
  [[nodiscard]] bool undecided() const noexcept { return view_->undecided; }
  [[nodiscard]] json::Tape& tape() noexcept { return filling_->tape; }
  /// `text`: the message as it came; what is in the tape was read in place.
  void add(Item::Kind kind, const json::Document& document, bool has_route, std::string_view route,
           std::string_view text);
  /// A text whose route cannot be read: whoever handles errors judges it, wanted or not.
  void add_unreadable(const json::Document& document);
  void count_unhandled(std::string_view route) { unhandled_.count(route); }
  /// True = the inbox is full: reading must pause until done() says otherwise. `closing`: reading will not pause; what
  /// finds no room is dropped as "closed".
  bool publish(std::uint64_t life, bool closing = false);
  void first_open(double now);
  /// Nothing has come for a while: what was kept for the next messages is given back, by consumers too when they find
  /// their queues empty.
  void give_back();

  // Any thread, without the GIL.

  void notify(std::shared_ptr<Notice> notice);
  /// The counts of a disconnect are known: it may be delivered.
  void complete(Notice& notice, std::uint64_t unsent_messages, std::uint64_t unsent_bytes);
  /// close(): what was not handed over is dropped as "closed"; what was begun before is dropped when published.
  void end_life(std::uint64_t life);
  /// Readers get what is left, then Taken::over.
  void set_over(bool over);
  /// Wakes everybody; nothing is given any more.
  void destroy();
  void nudge();

  /// True, also of close_reader(): reading may go on again.
  bool set_handlers(Wishes wishes, double now);
  void set_dispatching(bool on);
  std::uint64_t open_reader(Wishes wishes);
  /// What it had not read is kept for a while, for the next one who asks.
  bool close_reader(std::uint64_t reader, double now);

  /// Moves at most `limit` items of a lane to `out`, sleeping until there is one, a nudge, or `until` (nullopt = for
  /// ever; monotonic seconds). Every item taken goes back through done().
  Taken take(std::uint64_t lane, std::size_t limit, std::vector<Item>& out, std::optional<double> until);
  /// done() and take() in one, for a caller who must not wait, not even for the lock: nullopt = somebody else looks just
  /// now, and nothing was done. `room`: what done() gives.
  std::optional<Taken> look(std::uint64_t lane, std::size_t limit, std::vector<Item>& out,
                            std::vector<Item>& worked, bool& room);
  /// Items that were worked off, under the same terms: false = nothing was done.
  bool work_off_now(std::uint64_t lane, std::vector<Item>& worked, bool& room);
  /// Items that were worked off, and those that go back unbuilt. True = reading may go on again. `now`: of the messages
  /// that find no room any more, should any go back.
  bool done(std::uint64_t lane, std::vector<Item>& worked, std::vector<Item>& back, double now = 0.0);

  /// Whether the handlers' queue is empty, of what can not be taken yet, too.
  [[nodiscard]] bool drained() const;
  /// The same for a caller who must not wait, not even for the lock: false = it is not, or somebody else looks just now.
  [[nodiscard]] bool surely_drained() const;

  void count_decode();
  /// A message that the recording lacks: told by `dropped`.
  void count_unrecorded();
  [[nodiscard]] InboxCounts counts(double now = 0.0) const;

  /// The `dropped` events that are due at `now`.
  std::vector<std::shared_ptr<Notice>> take_dropped(double now);
  /// When to ask for them again; nullopt = no burst goes on.
  [[nodiscard]] std::optional<double> burst_check() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  /// What the I/O thread may read without the lock: replaced whole at every change.
  struct View {
    Wishes handlers;
    std::vector<Wishes> readers;
    bool undecided = true;
  };

  // inbox_routing.cpp
  void place(Item&& item);
  void wake(Lane& lane);
  void keep_in_ring(Item&& item);
  void claim();
  void empty_ring_when_settled();
  void renew_view();
  [[nodiscard]] bool is_undecided(double now) const noexcept;
  Lane* reader_for(const Item& item, std::string_view route);

  // inbox_overflow.cpp
  /// `news`: it just arrived; false: it was claimed, or a consumer gave it back.
  void push(Lane& lane, Item&& item, bool news);
  void make_room(Lane& lane, std::uint64_t sequence, Policy::Kind policy, bool news);
  bool drop_unread();
  bool drop_droppable(std::uint64_t except);
  void lose(Lane& lane, std::uint64_t sequence, const char* cause, bool with_route, std::uint64_t& counter);
  void count_drop(const char* cause, std::string_view route, std::uint64_t& counter);
  [[nodiscard]] bool crowded() const noexcept;
  [[nodiscard]] bool over_limit() const noexcept;
  bool goes_on();
  [[nodiscard]] Load pausing() const noexcept;
  Load& fixed_of(bool handlers) noexcept { return handlers ? handlers_fixed_ : readers_fixed_; }
  void gather();

  // inbox.cpp, inbox_lives.cpp
  void trim_notices();
  void drop(Item& item);
  void drop_messages(Lane& lane, std::uint64_t& counter);
  void drop_ring(std::uint64_t& counter);
  void leave(Item& item);
  void use_slab();
  Slab& take_slab();
  void retire(Slab& slab);
  std::shared_ptr<Lane> lane_of(std::uint64_t lane) const;
  std::optional<Taken> take_now(std::uint64_t lane, std::size_t limit, std::vector<Item>& out);
  void let_go(std::uint64_t lane, Item& item);
  void work_off(std::uint64_t lane, std::vector<Item>& worked);

  const InboxLimits limits_;
  const std::shared_ptr<const Overflow> overflow_;
  Bell* const bell_;
  const std::function<void()> burst_begins_;
  mutable std::mutex mutex_;
  // Shared with whoever sleeps on them: a reader may be closed meanwhile.
  const std::shared_ptr<Lane> handlers_ = std::make_shared<Lane>();
  std::map<std::uint64_t, std::shared_ptr<Lane>> readers_;
  std::uint64_t next_reader_ = 1;
  std::list<Item> ring_;
  std::size_t ring_bytes_ = 0;

  // What waits in the lanes, and what only a consumer can make go, in its hands included.
  Load waiting_;
  Load handlers_fixed_;
  Load readers_fixed_;

  std::vector<std::unique_ptr<Slab>> slabs_;  // in use
  Slab* newest_ = nullptr;                    // the slab that later reads append to while nobody works on it
  Slab* filling_ = nullptr;                   // I/O thread, between begin() and publish()
  std::vector<Item> pending_;
  std::vector<std::shared_ptr<Lane>> woken_;  // I/O thread, at the end of publish()
  std::shared_ptr<const View> view_;          // I/O thread
  std::shared_ptr<const View> next_view_;

  std::uint64_t sequence_ = 0;
  std::uint64_t life_ = 0;
  Load all_;                    // in the lanes and in consumers' hands
  std::size_t held_ = 0;        // bytes of all slabs in use
  std::size_t read_since_ = 0;  // bytes read since gather() looked
  std::uint64_t handled_ = 0;
  bool claimed_ = false;  // a handler or a reader of messages has existed
  bool dispatching_ = false;
  bool over_ = false;
  bool destroyed_ = false;
  bool paused_ = false;
  bool quiet_ = false;  // nothing has come since give_back()
  std::optional<double> opened_at_;
  double latest_on_ = 0.0;
  double now_ = 0.0;

  Drops drops_;
  TypeCounts unhandled_;  // counted by the I/O thread, under no lock of ours
  struct Loss {
    const char* cause;
    std::string route;
    std::uint64_t life;  // in which it began
    policy::Burst burst;
  };
  std::map<std::string, Loss> losses_;  // bursts that go on
  std::string identity_;                // I/O thread: the identity being added
  double arrived_ = 0.0;                // I/O thread: when the present read was done
};

}  // namespace fastws::client
