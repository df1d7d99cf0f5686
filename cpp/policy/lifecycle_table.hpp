// The table of reconnect-spec section 3: which move every input makes in every state.
//
// May know: lifecycle's states. Only lifecycle.cpp includes it. Promises: a pair that is not listed does not compile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "lifecycle.hpp"

namespace fastws::policy {

enum class Input : std::uint8_t {
  connect,  // commands
  reconnect,
  close,
  destroy,
  dialing,  // completions
  opened,
  failed,
  lost,
  answered,
  timer,
};

enum class Move : std::uint8_t {
  unlisted,  // a pair nobody thought of: does not compile
  none,      // no row: ignored
  stray,     // a transport that nobody waits for: aborted
  fresh,     // a first attempt, with no failures before it
  redial,    // drop the attempt and begin another, which uses the configuration as of now
  leave,     // send Close and wait for the answer
  turn,      // while closing, the last call decides what follows (R6)
  end,       // closed by the user, at once
  mute,      // closed already: what is queued of the finished life is not told any more
  vanish,    // destroyed
  extend,    // the deadline of the attempt begins again
  open,      // the attempt succeeded
  fail,      // the attempt did not
  lose,      // the open connection ended
  finish,    // the closing connection ended, or its time is over
  answer,    // should_reconnect has spoken
  expire,    // the attempt is out of time
  listen,    // does the peer live?
  retry,     // the wait is over
};

using M = Move;
// clang-format off
constexpr std::array<std::array<Move, 7>, 10> table = {{
    // idle      connecting  open        backoff     closing     closed      destroyed
    {M::fresh,  M::none,    M::none,    M::none,    M::none,    M::fresh,   M::none},   // connect
    {M::fresh,  M::redial,  M::leave,   M::fresh,   M::turn,    M::fresh,   M::none},   // reconnect
    {M::end,    M::end,     M::leave,   M::end,     M::turn,    M::mute,    M::none},   // close
    {M::vanish, M::vanish,  M::vanish,  M::vanish,  M::vanish,  M::vanish,  M::none},   // destroy
    {M::none,   M::extend,  M::none,    M::none,    M::none,    M::none,    M::none},   // dialing
    {M::stray,  M::open,    M::none,    M::stray,   M::none,    M::stray,   M::stray},  // opened
    {M::none,   M::fail,    M::none,    M::none,    M::none,    M::none,    M::none},   // failed
    {M::none,   M::none,    M::lose,    M::none,    M::finish,  M::none,    M::none},   // lost
    {M::none,   M::none,    M::none,    M::answer,  M::none,    M::none,    M::none},   // answered
    {M::none,   M::expire,  M::listen,  M::retry,   M::finish,  M::none,    M::none},   // timer
}};
// clang-format on

constexpr bool every_pair_is_listed() {
  for (const auto& row : table) {
    for (const Move move : row) {
      if (move == Move::unlisted) return false;
    }
  }
  return table.size() == static_cast<std::size_t>(Input::timer) + 1 &&
         table[0].size() == static_cast<std::size_t>(State::destroyed) + 1;
}
static_assert(every_pair_is_listed(), "the table must say what every input does in every state");

constexpr Move move_of(State state, Input input) {
  return table[static_cast<std::size_t>(input)][static_cast<std::size_t>(state)];
}

}  // namespace fastws::policy
