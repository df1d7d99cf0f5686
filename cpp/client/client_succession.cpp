// One name, one connection: a client that replaces an older one of its name dials when that one's transport is gone.
//
// All of it on the I/O thread. Between the two may stand others, replaced before they could dial themselves.
#include <utility>

#include "client.hpp"

namespace fastws::client {

using policy::State;

bool Client::busy() const {
  const State now = state();
  return transport_ || (now != State::idle && now != State::closed && now != State::destroyed);
}

Client* Client::older_in_the_way() const {
  Client* older = predecessor_.get();
  while (older != nullptr && !older->busy()) older = older->predecessor_.get();
  return older;
}

bool Client::wait_for_older() {
  Client* older = older_in_the_way();
  if (older == nullptr) return false;
  older->successors_.push_back(weak_from_this());
  return true;
}

void Client::predecessor_gone() {
  std::uint64_t epoch = 0;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!predecessor_ || machine_.state() != State::connecting) return;
    epoch = machine_.epoch();
  }
  start(epoch);
  arm();
}

void Client::tell_successors() {
  if (successors_.empty() || busy()) return;
  for (const auto& weak : std::exchange(successors_, {})) {
    io_.post([weak] {
      if (const auto successor = weak.lock()) successor->predecessor_gone();
    });
  }
}

}  // namespace fastws::client
