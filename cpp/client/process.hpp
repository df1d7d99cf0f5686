// What happens to all clients at once: the process's exit and its forks (reconnect-spec R18, R19).
//
// May know: clients, the I/O thread, the gate. Promises: after shut_down() no native thread of ours touches Python; in a
// fork's child no lock of the parent is taken and nothing of the parent is freed.
#pragma once

#include <cstdint>
#include <memory>

namespace fastws::client {

class Client;

/// Every client that lives is known here, weakly.
void remember(const std::shared_ptr<Client>& client);

/// Grows with every fork, in the child: a client of another generation is the parent's.
std::uint32_t generation() noexcept;

/// Once for the process, when the module is loaded.
void watch_forks();
void before_fork();
void after_fork_in_parent();
void after_fork_in_child();

/// Ends all clients at once: Close frames and their answers within `grace` seconds, then the I/O thread within `join`.
void shut_down(double grace, double join);

}  // namespace fastws::client
