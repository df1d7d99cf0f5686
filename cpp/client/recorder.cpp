// Two buffers: the one that is being filled with entries, and the one whose entries the thread turns into lines.
#include "recorder.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "../json/text.hpp"
#include "../net/loop.hpp"
#include "alarm.hpp"
#include "gate.hpp"
#include "recorder_lines.hpp"

namespace fastws::client {

namespace {

constexpr double try_again_after = 1.0;                   // seconds
constexpr std::size_t kept_bytes = std::size_t{1} << 20;  // a larger buffer is given back

void append(std::string& entries, const Entry& entry, std::string_view payload) {
  entries.append(reinterpret_cast<const char*>(&entry), sizeof entry);
  entries.append(payload);
}

int open_file(const std::string& path) {
  // Not blocking for the moment: a pipe that nobody reads must be an error, not the end of the caller.
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
  if (file < 0 || ::fcntl(file, F_SETFL, O_APPEND) != 0) {
    throw std::system_error(errno, std::generic_category(), "record: " + path);
  }
  return file;
}

/// Whether the file ends within a line: a process that wrote it was killed.
bool is_torn(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return false;
  char last = '\n';
  const off_t size = ::lseek(file, 0, SEEK_END);
  const bool torn = size > 0 && ::pread(file, &last, 1, size - 1) == 1 && last != '\n';
  ::close(file);
  return torn;
}

}  // namespace

struct Recorder::State {
  State(const std::string& path_, std::function<void(std::string)> failed_)
      : path(path_), failed(std::move(failed_)), torn(is_torn(path_)), file(open_file(path_)) {}
  ~State() { ::close(file); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void mark_gap(std::string& entries, std::uint64_t epoch, double now) {
    if (lost_since != 0) append(entries, Entry::gap(epoch, now, std::exchange(lost_since, 0)), {});
  }
  void run();
  void write(std::string_view lines, std::uint64_t messages);

  const std::string path;
  const std::function<void(std::string)> failed;
  const bool torn;
  const int file;

  mutable std::mutex mutex;
  std::condition_variable arrived;  // for the thread
  Alarm written;                    // for who waits
  std::string waiting;              // entries
  std::string early;                // entries of an epoch whose `connect` was not told yet,
  std::uint64_t early_epoch = 0;    // this one
  std::uint64_t open_epoch = 0;
  std::uint64_t lost_since = 0;  // messages that found no room, not yet marked in the file
  std::uint64_t told = 0;        // entries so far
  std::uint64_t done = 0;        // those that the file has, or never will
  Counts counts;
  bool failing = false;
  bool ending = false;
  bool over = false;
};

namespace {

/// The recorders whose files are still open. A fork's child has a list of its own.
struct Open {
  std::mutex mutex;
  std::vector<std::weak_ptr<Recorder::State>> states;
};
std::atomic<Open*> the_open{new Open};

}  // namespace

Recorder::Recorder(const std::string& path, std::function<void(std::string)> failed)
    : state_(std::make_shared<State>(path, std::move(failed))) {
  Open& open = *the_open.load();
  {
    const std::lock_guard<std::mutex> lock(open.mutex);
    auto& states = open.states;
    states.erase(std::remove_if(states.begin(), states.end(), [](const auto& one) { return one.expired(); }),
                 states.end());
    states.push_back(state_);
  }
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // as the I/O thread: signals are the main thread's
  std::thread([state = state_] {
    pthread_setname_np(pthread_self(), "fastws-record");
    state->run();
  }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Recorder::~Recorder() { end(); }

// --- Telling ---------------------------------------------------------------------------------------------------------

bool Recorder::message(std::uint64_t epoch, bool binary, std::string_view payload, double now) {
  State& state = *state_;
  const std::lock_guard<std::mutex> lock(state.mutex);
  if (state.ending) return true;
  if (state.waiting.size() + state.early.size() >= most_waiting) {
    ++state.lost_since;
    ++state.counts.unrecorded;
    return false;
  }
  const bool early = epoch != state.open_epoch;
  if (early && std::exchange(state.early_epoch, epoch) != epoch)
    state.early.clear();  // that one never opened
  std::string& entries = early ? state.early : state.waiting;
  state.mark_gap(entries, epoch, now);
  append(entries, Entry::message(epoch, binary, now, payload.size()), payload);
  if (early) return true;
  ++state.told;
  state.arrived.notify_one();
  return true;
}

void Recorder::opened(std::uint64_t epoch, std::string_view url, double now) {
  State& state = *state_;
  const std::lock_guard<std::mutex> lock(state.mutex);
  if (state.early_epoch != epoch) state.early.clear();
  // What came with the handshake's answer was here before anybody could be told: the connection is not younger than that.
  if (!state.early.empty()) now = std::min(now, first_entry(state.early).at);
  append(state.waiting, Entry::connect(epoch, now, url.size()), url);
  state.waiting += state.early;
  state.early.clear();
  state.open_epoch = epoch;
  ++state.told;
  state.arrived.notify_one();
}

void Recorder::lost(std::uint64_t epoch, std::uint16_t code, std::string_view reason,
                    std::string_view initiator, double now) {
  State& state = *state_;
  const std::lock_guard<std::mutex> lock(state.mutex);
  std::string both(initiator);
  both.append(1, '\0').append(reason);
  state.mark_gap(state.waiting, epoch, now);
  append(state.waiting, Entry::disconnect(epoch, now, code, both.size()), both);
  ++state.told;
  state.arrived.notify_one();
}

Recorder::Counts Recorder::counts() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->counts;
}

bool Recorder::flush(double until) {
  State& state = *state_;
  std::unique_lock<std::mutex> lock(state.mutex);
  const std::uint64_t wanted = state.told;
  while (state.done < wanted && !state.over) {
    if (net::monotonic_now() >= until) return false;
    state.written.sleep_until(lock, time_point(until));
  }
  return true;
}

void Recorder::end() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->ending = true;
  state_->arrived.notify_one();
}

void Recorder::finish_all(double until) {
  std::vector<std::shared_ptr<State>> states;
  {
    Open& open = *the_open.load();
    const std::lock_guard<std::mutex> lock(open.mutex);
    for (const auto& weak : open.states) {
      if (auto state = weak.lock()) states.push_back(std::move(state));
    }
  }
  for (const auto& state : states) {
    const Inside inside;
    std::unique_lock<std::mutex> lock(state->mutex);
    while (state->ending && !state->over && net::monotonic_now() < until) {
      state->written.sleep_until(lock, time_point(until));
    }
  }
}

void Recorder::forget_after_fork() { the_open.store(new Open); }

// --- The thread ------------------------------------------------------------------------------------------------------

void Recorder::State::run() {
  bool begun = false;
  std::string entries;
  std::unique_lock<std::mutex> lock(mutex);
  for (;;) {
    arrived.wait(lock, [&] { return !waiting.empty() || ending; });
    if (waiting.empty()) break;
    entries.swap(waiting);
    const std::uint64_t all = told;
    lock.unlock();
    // The clocks are compared anew each time: the wall clock may have been set.
    const double wall_ahead = net::wall_now() - net::monotonic_now();
    if (!std::exchange(begun, true)) {
      json::Text start;
      if (torn) start.put('\n');
      write_start(start, entries, wall_ahead);
      write(start.view(), 0);
    }
    write_entries(entries, wall_ahead,
                  [&](std::string_view lines, std::uint64_t count) { write(lines, count); });
    entries.clear();
    if (entries.capacity() > kept_bytes) entries = {};
    lock.lock();
    done = all;
    written.wake_all();
  }
  over = true;
  written.wake_all();
}

void Recorder::State::write(std::string_view lines, std::uint64_t messages) {
  while (!lines.empty()) {
    const ssize_t size = ::write(file, lines.data(), lines.size());
    if (size > 0) {
      lines.remove_prefix(static_cast<std::size_t>(size));
      continue;
    }
    if (size < 0 && errno == EINTR) continue;
    const std::string why = size < 0 ? std::generic_category().message(errno) : "nothing could be written";
    std::unique_lock<std::mutex> lock(mutex);
    if (!failing) {
      failing = true;
      lock.unlock();
      failed(path + ": " + why + "; messages wait in memory until it can be written again");
      lock.lock();
    }
    if (ending) {
      counts.unrecorded += messages;
      return;
    }
    arrived.wait_for(lock, std::chrono::duration<double>(try_again_after), [&] { return ending; });
  }
  const std::lock_guard<std::mutex> lock(mutex);
  failing = false;
  counts.recorded += messages;
}

}  // namespace fastws::client
