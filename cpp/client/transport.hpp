// One epoch's transport: dial, opening handshake, open connection, closing handshake.
//
// May know: net's dialer and stream, the engine, the line. Belongs to the I/O thread. Promises: tells its owner opened()
// or failed() once, then lost() at most once, and nothing after end(); reads at most a budget before it lets others run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "../engine/engine.hpp"
#include "../net/dialer.hpp"
#include "../policy/busy_poll.hpp"
#include "../policy/lifecycle.hpp"
#include "line.hpp"

namespace fastws::client {

class IoThread;

/// Where and how one attempt connects.
struct Plan {
  std::uint64_t epoch = 0;
  net::DialOptions dial;
  engine::Request request;
  engine::Limits limits;
  double deadline = 0.0;       // monotonic seconds
  bool opened_before = false;  // by this client: its URL is known to be right
};

class Transport final : public engine::Listener, public std::enable_shared_from_this<Transport> {
 public:
  /// What a transport tells, always on the I/O thread. The owner may end() it in any of these.
  class Owner {
   public:
    virtual ~Owner() = default;
    /// The owner opens the line. `deflater`: nullptr = messages go plain.
    virtual void transport_opened(engine::Response response, std::shared_ptr<engine::Deflater> deflater) = 0;
    virtual void transport_failed(Failure failure) = 0;
    /// `fault`: what we found wrong, when it was us who failed the connection.
    virtual void transport_lost(policy::Loss loss, std::optional<Failure> fault) = 0;
    /// Around the messages of one socket read. end_read(): true = pause reading until resume(). `closing`: our Close frame
    /// is out, so reading goes on to find the peer's, and what finds no room is dropped.
    virtual void begin_read() = 0;
    virtual void transport_message(engine::Opcode opcode, std::string_view payload) = 0;
    virtual bool end_read(bool closing) = 0;
    /// Instead, when this was replaced while it was read: nobody was told of the connection, so nobody gets its messages.
    virtual void discard_read() = 0;
    virtual void transport_pong(std::string_view payload) = 0;
    virtual void bytes_received(std::size_t size) = 0;
  };

  Transport(IoThread& io, Line& line, Owner& owner, Plan plan);
  ~Transport() override;

  void dial();
  /// Our Close frame, after what was accepted before it.
  void send_close(std::uint16_t code, std::string_view reason);
  /// Something waits in the line.
  void flush();
  /// Nothing has come for a while: large buffers are given back.
  void give_back();
  void resume();  // after a pause
  /// Drops everything at once; nothing is told any more. Gives what was accepted and not written.
  Line::Unsent end();
  /// Like end(), but the Close frame and what was accepted before it may still be written, and the peer's answer
  /// awaited, until `deadline`. `ended` is posted when all is over; it keeps alive what the line belongs to.
  void end_gently(std::uint16_t code, double deadline, std::function<void()> ended);

  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] double last_received() const noexcept { return last_received_; }
  [[nodiscard]] bool paused() const noexcept { return paused_; }
  [[nodiscard]] bool dialing() const noexcept { return stream_ == nullptr; }
  /// How many transports of the process are ending gently.
  static int lingering_count() noexcept;

 private:
  // engine::Listener
  void opened(engine::Response response) override;
  void rejected(Failure failure) override;
  void message(engine::Opcode opcode, std::string_view payload) override;
  void pong(std::string_view payload) override;
  void closed(std::uint16_t code, std::string_view reason) override;
  void failed(std::uint16_t code, Failure failure) override;

  void connected(std::unique_ptr<net::Stream> stream);
  void wait_to_read();
  void wait_to_write();
  void come_back();
  void readable();
  bool read_once();
  bool settle_feed(bool pause);
  void stream_ended(bool in_order);
  void tell_rejected(Failure failure);
  void tell_lost(policy::Loss loss, std::optional<Failure> fault = std::nullopt);
  void push_output();
  void feed(std::size_t size);

  IoThread& io_;
  Line& line_;
  Owner* owner_;  // nullptr after end()
  const std::uint64_t epoch_;
  const bool secure_;
  const bool opened_before_;
  const engine::DeflateOptions deflate_;
  // Until there is a connection, which may be idle for hours.
  std::unique_ptr<Plan> plan_;
  std::unique_ptr<net::Dial> dial_;
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<net::Timer> linger_;
  std::unique_ptr<net::Timer> gather_;  // made by the first burst
  std::function<void()> ended_;
  double last_received_ = 0.0;
  std::size_t control_waits_ = 0;  // bytes of control frames that were not written yet, when last looked at
  policy::BusyPoll busy_poll_;
  bool waiting_read_ = false;
  bool waiting_write_ = false;
  bool coming_back_ = false;  // gather_ is armed
  bool paused_ = false;
  bool closing_ = false;  // our Close frame is on its way
  bool heard_ = false;    // the peer sent something
  bool lingering_ = false;

  // What the engine reported during the present feed; each of them seldom, so they take no room before.
  std::unique_ptr<engine::Response> opened_;
  std::unique_ptr<Failure> rejected_;
  std::unique_ptr<policy::Loss> closed_;
  std::unique_ptr<Failure> fault_;
};

}  // namespace fastws::client
