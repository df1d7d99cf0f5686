// A few moments after enough have gone quiet, for others follow.
#include "trimmer.hpp"

#include <algorithm>
#include <cstdlib>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace fastws::client {

namespace {

constexpr unsigned many = 32;   // connections
constexpr double soon = 0.1;    // seconds
constexpr double later = 1.0;   // seconds, for those who are too late for that
constexpr double share = 0.02;  // of the thread's time

}  // namespace

void Trimmer::went_quiet() {
  ++waiting_;
  if (waiting_ == many || (crowd_ && waiting_ == 1)) {
    const double wait = waiting_ == many ? soon : later;
    timer_.at(std::max(net::monotonic_now() + wait, not_before_), [this] { trim(); });
  }
}

void Trimmer::trim() {
  crowd_ = true;
  waiting_ = 0;
  const double began = net::monotonic_now();
#if defined(__GLIBC__)
  ::malloc_trim(0);
#endif
  const double ended = net::monotonic_now();
  not_before_ = ended + (ended - began) / share;
}

}  // namespace fastws::client
