// One client: composes the state machine, the transport of the present epoch, the inbox and the line.
//
// May know: every other room of the core, and no Python. Promises: commands never wait; events come out in the order in
// which they happened; all work with the network happens on the I/O thread; after destroy() nothing comes out any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "../json/scan.hpp"
#include "../net/cookies.hpp"
#include "../policy/delivery.hpp"
#include "../policy/lifecycle.hpp"
#include "alarm.hpp"
#include "asking.hpp"
#include "bell.hpp"
#include "heartbeat.hpp"
#include "inbox.hpp"
#include "io_thread.hpp"
#include "latencies.hpp"
#include "line.hpp"
#include "offline.hpp"
#include "options.hpp"
#include "recorder.hpp"
#include "replies.hpp"
#include "sticky.hpp"
#include "transport.hpp"

namespace fastws::client {

struct Traffic {
  std::atomic<std::uint64_t> messages_in{0}, bytes_in{0};
  std::atomic<std::uint64_t> connects{0}, failures{0}, dropped_offline{0};
  std::atomic<double> opened_at{0.0}, parse_seconds{0.0};
};

/// How the last life ended.
struct Outcome {
  policy::ClosedReason reason = policy::ClosedReason::none;
  std::uint16_t code = 0;
  std::optional<Failure> failure;
};

class Client final : public std::enable_shared_from_this<Client>, private Transport::Owner {
 public:
  /// `options` may be others' as well. `predecessor`: an older client of the same name; this one dials only when that one's
  /// transport is gone.
  static std::shared_ptr<Client> make(Target target, std::shared_ptr<const Options> options,
                                      std::shared_ptr<Client> predecessor);
  ~Client() override;

  // Commands, from any thread.
  void connect();
  void reconnect();
  void close(std::uint16_t code, std::string reason);
  /// No events any more. Close frames are written, and their answer awaited, for at most `grace` seconds.
  void destroy(double grace);

  /// `refused`: not open, or the offline queue is full, and that is to raise.
  enum class Sent : std::uint8_t { accepted, dropped, full, too_big, refused };
  /// `epoch` 0 = whichever is open; `until`: monotonic seconds to wait for room (nullopt = for ever).
  Sent send(engine::Opcode opcode, std::string_view payload, std::uint64_t epoch,
            std::optional<double> until);
  /// How far many have come: those dealt with, and those of them that were accepted or stored.
  struct Sending {
    std::size_t done = 0;
    std::size_t accepted = 0;
    std::uint64_t epoch = 0;  // whose connection it is for; 0 = not settled
  };
  /// Goes on where `sending` is. Sent::accepted: all are dealt with; others are about the one that is next.
  Sent send_many(engine::Opcode opcode, const std::string_view* payloads, std::size_t size,
                 std::uint64_t epoch, std::optional<double> until, Sending& sending);
  /// A small message of a burst; never waits, so that the GIL may be held. See Line::gather.
  Line::Gathered gather(engine::Opcode opcode, std::string_view payload, std::uint64_t epoch);
  void relieve() { line_.relieve(); }
  [[nodiscard]] std::uint64_t dropped_offline() const;

  struct Flushing {
    std::shared_ptr<Departures::Watch> stored;
    std::shared_ptr<Departures::Watch> written;
    std::uint64_t lost_before = 0;
  };
  /// What waits to be written now, in the offline queue too when `stored_too`.
  Flushing begin_flush(bool stored_too);
  /// Sleeps until it is written; lost: its connection is over, or none is open and nothing is stored.
  Departures::Waited await_flush(Flushing& flushing, std::optional<double> until);

  /// A text that is sent on every connection. True = on this one, too.
  bool set_sticky(const std::string& key, std::string_view text, bool after_connect);
  bool unset_sticky(const std::string& key);
  /// Whether `connect` handlers exist, after which release() will be called for every connection.
  void expect_release(bool on) noexcept { expect_release_.store(on); }
  /// The `connect` handlers of this epoch have returned: what was held back for them goes out.
  void release(std::uint64_t epoch);

  struct Pinged {
    std::uint64_t number = 0;
    std::uint64_t epoch = 0;
  };
  enum class Pong : std::uint8_t { arrived, lost, not_yet };
  /// Sends a Ping; nullopt = not open.
  std::optional<Pinged> ping();
  /// Sleeps until its answer, the connection's end, or `until`. `seconds`: the round trip.
  Pong await_pong(const Pinged& ping, std::optional<double> until, double& seconds);

  // Answers of the user's callables.
  void provide(std::uint64_t epoch, std::optional<net::Url> url, std::optional<Headers> headers);
  void provide_failed(std::uint64_t epoch, std::string message);
  void answer(std::uint64_t epoch, policy::Answer answer);

  // What is so now.
  [[nodiscard]] policy::State state() const;
  [[nodiscard]] std::uint64_t life() const noexcept { return life_.load(); }
  [[nodiscard]] std::uint64_t epoch() const noexcept { return line_.epoch(); }
  [[nodiscard]] std::optional<Outcome> outcome() const;
  [[nodiscard]] std::optional<Failure> last_failure() const;
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::optional<std::string> subprotocol() const;
  [[nodiscard]] const Traffic& traffic() const noexcept { return traffic_; }
  [[nodiscard]] const Line& line() const noexcept { return line_; }
  /// What waits in the offline queue, and what it dropped.
  [[nodiscard]] Offline::Counts stored() const { return offline_ ? offline_->counts() : Offline::Counts(); }
  [[nodiscard]] const Heartbeat& heartbeat() const noexcept { return heartbeat_; }
  [[nodiscard]] const Options& options() const noexcept { return *options_; }
  [[nodiscard]] std::uint64_t version() const noexcept { return version_.load(); }
  /// Sleeps until version() is another than `seen`, or `until`.
  std::uint64_t wait_change(std::uint64_t seen, std::optional<double> until);
  void nudge();
  bool admit(policy::Event::Kind kind, std::uint64_t event_life, std::uint64_t epoch);

  [[nodiscard]] Inbox& inbox() noexcept { return inbox_; }
  /// nullptr: nothing is recorded.
  [[nodiscard]] Recorder* recorder() noexcept { return recorder_.get(); }
  [[nodiscard]] const Recorder* recorder() const noexcept { return recorder_.get(); }
  /// From the socket read that completed a message until its consumer took it.
  [[nodiscard]] Latencies& latencies() noexcept { return latencies_; }
  [[nodiscard]] const Latencies& latencies() const noexcept { return latencies_; }
  /// nullptr: there is nobody to be asked.
  [[nodiscard]] Asking* asking() noexcept { return asking_.get(); }
  /// Rung when anything happened that a client of an event loop may wait for.
  [[nodiscard]] Bell& bell() noexcept { return bell_; }
  /// The inbox has room again.
  void resume_reading();
  /// I/O thread: whether a successor has to wait: this client still tries to connect or has a transport.
  [[nodiscard]] bool busy() const;

 private:
  Client(Target target, std::shared_ptr<const Options> options);

  // client.cpp: the state machine and its mutex.
  template <class Input>
  void command(Input input);  // any thread: effects are posted
  template <class Input>
  void step(Input input);  // I/O thread: effects are carried out at once
  void collect();          // under mutex_: takes the machine's effects and events
  void changed();
  void state_changed();  // under mutex_
  std::shared_ptr<Notice> notice_for(policy::Event event);
  void begin_recording();
  [[nodiscard]] std::optional<Failure> last_error() const;  // under mutex_

  // client_io.cpp: the I/O thread.
  void carry_out();
  void carry_out(const policy::Effect& effect);
  void drop_transport(std::uint64_t epoch);
  void ask_should_reconnect(std::uint64_t epoch);
  [[nodiscard]] std::optional<double> deadline() const;  // with the mutex
  void arm();
  void timer_fired();
  void attempt_failed(std::uint64_t epoch, Failure failure);
  void tell(Failure failure, std::uint64_t epoch, std::uint64_t life);
  void check_bursts();
  void watch_for_quiet();
  void shut_down(double grace);

  // client_sending.cpp: what goes out, and when.
  Sent send_allowed(engine::Opcode opcode, const std::string_view* payloads, std::size_t size,
                    std::uint64_t epoch, std::optional<double> until, Sending& sending);
  void follow_offline(policy::State now);  // under mutex_
  void watch_offline();
  void check_offline();
  void reply_to(std::string_view text);
  void push_replies();
  void begin_beats();
  void arm_beat();
  void beat();

  // client_attempt.cpp: where to, and the redirects on the way.
  struct Attempt {
    net::Url url;
    Headers headers;
    unsigned redirects = 0;
  };
  void start(std::uint64_t epoch);
  void begin_attempt(std::uint64_t epoch, const net::Url& url, const Headers& headers);
  void dial(std::uint64_t epoch);
  void add_cookies(Headers& headers) const;
  void keep_cookies(const Headers& headers);
  bool follow(Failure& failure);  // false: the failure's sentence says why not

  // client_succession.cpp: one name, one connection.
  [[nodiscard]] Client* older_in_the_way() const;
  bool wait_for_older();  // true: start() is called again when that one is gone
  void predecessor_gone();
  void tell_successors();

  policy::Draw draw();

  // Transport::Owner
  void transport_opened(engine::Response response, std::shared_ptr<engine::Deflater> deflater) override;
  void transport_failed(Failure failure) override;
  void transport_lost(policy::Loss loss, std::optional<Failure> fault) override;
  void begin_read() override;
  void transport_message(engine::Opcode opcode, std::string_view payload) override;
  bool end_read(bool closing) override;
  void discard_read() override;
  bool finish_read(std::uint64_t life, bool closing);
  void transport_pong(std::string_view payload) override;
  void bytes_received(std::size_t size) override;

  void text_arrived(std::string_view payload);
  bool seems_wanted(std::string_view text);
  void binary_arrived(std::string_view payload);

  const Target target_;
  const std::shared_ptr<const Options> options_;
  IoThread& io_;
  Bell bell_;  // before those that ring it
  Inbox inbox_;
  Line line_;
  Sticky sticky_;
  const std::unique_ptr<Offline> offline_;  // nullptr: nothing is stored
  Replies replies_;                         // I/O thread
  Heartbeat heartbeat_;
  const std::unique_ptr<Asking> asking_;
  Latencies latencies_;
  std::unique_ptr<Recorder> recorder_;
  Traffic traffic_;

  mutable std::mutex mutex_;  // the state machine's; taken before the line's, never while that is held
  Alarm changed_;
  policy::Lifecycle machine_;
  policy::Delivery delivery_;
  std::vector<policy::Effect> effects_;  // a few at most
  std::unique_ptr<const Outcome> outcome_;
  std::unique_ptr<const Failure> last_failure_;
  std::optional<std::uint16_t> last_close_;
  Headers response_headers_;  // until they are told
  std::string subprotocol_;   // of the connection that is open
  std::string shown_url_;
  std::map<std::uint64_t, Line::Unsent> unsent_;  // of epochs that ended
  std::vector<std::shared_ptr<Notice>> awaiting_unsent_;
  bool destroyed_ = false;

  std::atomic<std::uint64_t> life_{0};
  std::atomic<std::uint64_t> version_{0};
  std::atomic<bool> flush_posted_{false};
  std::atomic<bool> expect_release_{false};
  std::atomic<bool> offline_watched_{false};

  // The I/O thread's own.
  std::unique_ptr<Attempt> attempt_;  // until it is open
  net::CookieJar jar_;
  std::shared_ptr<Transport> transport_;
  std::shared_ptr<Client> predecessor_;
  std::vector<std::weak_ptr<Client>> successors_;
  std::unique_ptr<net::Timer> timer_;
  std::unique_ptr<net::Timer> burst_timer_;
  std::unique_ptr<net::Timer> quiet_timer_;  // from a read until nothing came for a moment
  std::unique_ptr<net::Timer> offline_timer_;
  std::unique_ptr<net::Timer> beat_timer_;
  double beat_at_ = 0.0;
  std::optional<double> armed_;             // when the timer will fire
  std::optional<std::uint64_t> providing_;  // the epoch whose provider was asked
  std::uint64_t transport_life_ =
      0;                    // the one the transport was dialed in: close() ends that, not the transport
  double suspended_ = 0.0;  // boottime - monotonic when the timer was armed
  double read_began_ = 0.0;
  std::uint64_t read_messages_ = 0;    // of the present read
  std::uint64_t received_before_ = 0;  // bytes, when it was quiet last
  Frames due_;                         // replies to messages of the present read
  bool ever_open_ = false;
  std::string scratch_;
  std::string route_;
  unsigned wanted_in_a_row_ = 0;  // texts, as far as it is counted
};

}  // namespace fastws::client
