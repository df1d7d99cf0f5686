// One connection between a real server and an owner that answers at once: what goes out in which order.
#include "client/transport.hpp"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "client/gate.hpp"
#include "client/io_thread.hpp"
#include "client_server.hpp"
#include "net/url.hpp"

namespace {

using namespace fastws;
using client::IoThread;
using client::Line;
using client::Transport;
using client::testing::Peer;
using client::testing::Server;
using engine::Opcode;

/// Sends every message back the moment it is handed over: no handler on a thread of its own can be quicker.
class Echo final : public Transport::Owner {
 public:
  explicit Echo(const std::string& url) : line_(std::size_t{1} << 20, [this] { wake(); }) {
    client::Plan plan;
    plan.epoch = 1;
    plan.dial.url = net::parse_url(url);
    plan.request.host = plan.dial.url.authority();
    plan.request.resource = plan.dial.url.resource;
    plan.deadline = net::monotonic_now() + 10.0;
    on_io_thread([this, &plan] {
      Transport::Owner& owner = *this;
      transport_ = std::make_shared<Transport>(io_, line_, owner, std::move(plan));
      transport_->dial();
    });
  }
  ~Echo() override {
    on_io_thread([this] {
      transport_->end();
      transport_.reset();
    });
  }
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;

 private:
  void transport_opened(engine::Response, std::shared_ptr<engine::Deflater> deflater) override {
    line_.open(1, std::move(deflater));
  }
  void transport_failed(Failure failure) override { ADD_FAILURE() << failure.message; }
  void transport_lost(policy::Loss, std::optional<Failure>) override {}
  void begin_read() override {}
  void discard_read() override {}
  void transport_message(Opcode, std::string_view payload) override { messages_.emplace_back(payload); }
  bool end_read(bool) override {
    const client::Inside inside;
    for (const auto& message : messages_) line_.send(Opcode::text, message, 1, net::monotonic_now());
    messages_.clear();
    return false;
  }
  void transport_pong(std::string_view) override {}
  void bytes_received(std::size_t) override {}

  template <typename Step>
  void on_io_thread(Step step) {
    std::promise<void> done;
    io_.post([&] {
      step();
      done.set_value();
    });
    done.get_future().wait();
  }
  void wake() {
    io_.post([weak = std::weak_ptr<Transport>(transport_)] {
      if (const auto transport = weak.lock()) transport->flush();
    });
  }

  IoThread& io_ = IoThread::instance();
  Line line_;
  std::shared_ptr<Transport> transport_;
  std::vector<std::string> messages_;
};

/// What a connection answers to bytes that reach it in one piece, up to so many frames.
std::vector<std::string> answers(const std::string& bytes, std::size_t count) {
  std::vector<std::string> found;
  std::promise<void> over;
  {
    Server server([&](const Peer& peer) {
      if (peer.shake_hands()) {
        peer.write(bytes);
        std::string wire;
        while (found.size() < count) {
          const std::string more = peer.read();
          if (more.empty()) break;
          wire += more;
          found = engine::peer::frames_in(wire.substr(0, client::testing::whole_frames(wire)));
        }
      }
      over.set_value();
    });
    const Echo echo(server.url());
    over.get_future().wait();
  }
  return found;
}

using Frames = std::vector<std::string>;
using engine::peer::frame;
using engine::peer::text;

TEST(Transport, APongGoesBeforeTheAnswerToAMessageOfTheSameRead) {
  EXPECT_EQ(answers(frame(0x89, "p") + text("a"), 2), (Frames{"10:p", "1:a"}));
  // In the middle of a fragmented message, as case 5.19 of the Autobahn test suite has it.
  EXPECT_EQ(answers(frame(0x01, "a") + frame(0x89, "p") + frame(0x80, "b"), 2), (Frames{"10:p", "1:ab"}));
}

TEST(Transport, EveryPongOfAReadGoesOutInOrder) {
  EXPECT_EQ(answers(frame(0x89, "1") + text("a") + frame(0x89, "2") + text("b") + frame(0x89, "3"), 5),
            (Frames{"10:1", "10:2", "10:3", "1:a", "1:b"}));
}

}  // namespace
