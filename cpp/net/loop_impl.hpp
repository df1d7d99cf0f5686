// What the rooms of this folder share of the loop: its io_context.
//
// May know: Asio. Included by this folder's .cpp files only.
#pragma once

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "loop.hpp"

namespace fastws::net {

class Loop::Impl {
 public:
  asio::io_context context{1};
  // Makes Asio open its own descriptors now: later, on the loop's thread, a failure to do so would find nobody to catch it.
  asio::steady_timer first{context};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
};

}  // namespace fastws::net
