// Starting, parking and ending the I/O thread.
#include "io_thread.hpp"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csignal>

namespace fastws::client {

namespace {

std::atomic<IoThread*> the_thread{nullptr};
std::mutex& creation() {
  static auto* mutex = new std::mutex;
  return *mutex;
}

}  // namespace

IoThread& IoThread::instance() {
  if (IoThread* existing = the_thread.load(std::memory_order_acquire)) return *existing;
  const std::lock_guard<std::mutex> lock(creation());
  if (IoThread* existing = the_thread.load(std::memory_order_acquire)) return *existing;
  auto* made = new IoThread;
  the_thread.store(made, std::memory_order_release);
  return *made;
}

IoThread* IoThread::existing() noexcept { return the_thread.load(std::memory_order_acquire); }

void IoThread::forget_after_fork() noexcept { the_thread.store(nullptr, std::memory_order_release); }

IoThread::IoThread() {
  // A thread inherits its maker's signal mask: with every signal blocked the kernel gives SIGINT to the main thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "fastws-io");
    loop_.run();
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void IoThread::park() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (ended_) return;
  park_wanted_ = true;
  loop_.post([this] {
    std::unique_lock<std::mutex> inner(mutex_);
    parked_ = true;
    changed_.notify_all();
    changed_.wait(inner, [this] { return !park_wanted_; });
    parked_ = false;
    changed_.notify_all();
  });
  changed_.wait(lock, [this] { return parked_ || ended_; });
}

void IoThread::unpark() {
  std::unique_lock<std::mutex> lock(mutex_);
  park_wanted_ = false;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !parked_ || ended_; });
}

bool IoThread::stop(double seconds) {
  loop_.stop();
  std::unique_lock<std::mutex> lock(mutex_);
  const bool over =
      changed_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return ended_; });
  lock.unlock();
  if (over) {
    thread_.join();
  } else {
    thread_.detach();
  }
  return over;
}

}  // namespace fastws::client
