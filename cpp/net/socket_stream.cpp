// Reads and writes go straight to the socket; only waiting goes through the loop.
#include "socket_stream.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "loop_impl.hpp"

namespace fastws::net {

namespace {

std::string words(int error) { return std::generic_category().message(error); }

}  // namespace

bool connected_to_itself(int socket) noexcept {
  sockaddr_storage ours{};
  sockaddr_storage theirs{};
  socklen_t size = sizeof ours;
  socklen_t other = sizeof theirs;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&ours), &size) != 0 ||
      ::getpeername(socket, reinterpret_cast<sockaddr*>(&theirs), &other) != 0) {
    return false;
  }
  return size == other && std::memcmp(&ours, &theirs, size) == 0;
}

// --- Readiness -------------------------------------------------------------------------------------------------------

struct Readiness::Waits {
  Waits(asio::io_context& context, int number) : descriptor(context, number) {}
  asio::posix::stream_descriptor descriptor;
  std::uint64_t round = 0;  // grows with cancel(): a completion that was already queued finds it changed
};

Readiness::Readiness(Loop& loop, int descriptor)
    : waits_(std::make_shared<Waits>(loop.impl().context, descriptor)) {}

Readiness::~Readiness() {
  ++waits_->round;
  waits_->descriptor.release();  // its owner closes it
}

void Readiness::wait(asio::posix::stream_descriptor::wait_type kind, std::function<void()> function) {
  waits_->descriptor.async_wait(kind, [weak = std::weak_ptr<Waits>(waits_), round = waits_->round,
                                       function = std::move(function)](std::error_code error) {
    const auto waits = weak.lock();
    if (waits && waits->round == round && error != asio::error::operation_aborted) function();
  });
}

void Readiness::readable(std::function<void()> function) {
  wait(asio::posix::stream_descriptor::wait_read, std::move(function));
}

void Readiness::writable(std::function<void()> function) {
  wait(asio::posix::stream_descriptor::wait_write, std::move(function));
}

void Readiness::cancel() {
  ++waits_->round;
  std::error_code ignored;
  waits_->descriptor.cancel(ignored);
}

// --- The plain stream ------------------------------------------------------------------------------------------------

SocketStream::SocketStream(Loop& loop, Descriptor socket)
    : socket_(std::move(socket)), readiness_(loop, socket_.get()) {}

SocketStream::~SocketStream() { SocketStream::close(); }

Moved SocketStream::read(char* data, std::size_t size) {
  if (closed_) return {Io::error, 0};
  for (;;) {
    const ssize_t count = ::recv(socket_.get(), data, size, 0);
    if (count > 0)
      return {Io::done, static_cast<std::size_t>(count), static_cast<std::size_t>(count) == size};
    if (count == 0) return {Io::end, 0};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {Io::again, 0};
    fail(words(errno));
    return {Io::error, 0};
  }
}

Moved SocketStream::write(const char* data, std::size_t size) {
  if (closed_) return {Io::error, 0};
  for (;;) {
    const ssize_t count = ::send(socket_.get(), data, size, MSG_NOSIGNAL);
    if (count > 0) return {Io::done, static_cast<std::size_t>(count)};
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {Io::again, 0};
    fail(count < 0 ? words(errno) : "nothing could be written");
    return {Io::error, 0};
  }
}

void SocketStream::close() {
  if (std::exchange(closed_, true)) return;
  if (error_.empty()) error_ = "the stream is closed";
  ::shutdown(socket_.get(), SHUT_WR);
  // Bytes left unread would turn our end into a reset, and the peer might never see the Close frame before it.
  constexpr int most_reads = 64;
  char unread[16384];
  for (int count = 0; count < most_reads; ++count) {
    if (::recv(socket_.get(), unread, sizeof unread, MSG_DONTWAIT) <= 0) break;
  }
}

void SocketStream::reset() {
  if (std::exchange(closed_, true)) return;
  if (error_.empty()) error_ = "the stream is closed";
  const linger now{1, 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  // Dissolving the association sends the reset at once, while the number stays taken.
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  ::connect(socket_.get(), &nowhere, sizeof nowhere);
}

}  // namespace fastws::net
