// How the binding leaves Python: through the process-wide gate, with the GIL released, and back.
//
// May know: pybind11, the gate. Promises: after interpreter exit began nothing is called and the GIL is not released
// (a thread that takes it again during finalization would abort the process).
#pragma once

#include <pybind11/pybind11.h>

#include <optional>
#include <utility>

#include "../client/gate.hpp"

namespace fastws::python {

/// Runs `call` without the GIL, inside the gate. Gives `closed`, without calling, once the gate is closed.
template <class Call, class Value>
Value natively(Call&& call, Value closed) {
  client::Gate& gate = client::Gate::instance();
  if (!gate.admit()) return closed;
  struct Dismissal {  // outlives the released GIL: the gate counts us until we hold the GIL again
    client::Gate& gate;
    ~Dismissal() { gate.dismiss(); }
  } const dismissal{gate};
  const pybind11::gil_scoped_release released;
  const client::Inside inside;
  return std::forward<Call>(call)();
}

/// The same for a call that gives nothing.
template <class Call>
void natively(Call&& call) {
  natively(
      [&] {
        std::forward<Call>(call)();
        return true;
      },
      false);
}

/// The thread that Python delivers signals to; a wait there must look for them.
bool on_main_thread() noexcept;
void note_main_thread() noexcept;

/// Sleeps by `sleep(until)` in slices short enough for Ctrl-C: it is called, with the GIL released and inside the gate,
/// until it says something else than `nothing`, or the time is over. Throws error_already_set when a signal handler raised.
std::optional<double> slice_end(std::optional<double> until);
/// The moment (monotonic seconds) that is `timeout` seconds from now; nullopt = never.
std::optional<double> deadline_after(std::optional<double> timeout);
void check_signals();

}  // namespace fastws::python
