// Two slots, one for each kind of question.
#include "asking.hpp"

#include <chrono>
#include <utility>

namespace fastws::client {

void Asking::ask(Question question) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto& slot = question.kind == Question::Kind::provide ? provide_ : reconnect_;
  slot = std::make_unique<Question>(std::move(question));
  asked_.wake_one();
}

Asking::Taken Asking::take(Question& question, std::optional<double> until) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    if (over_) return Taken::over;
    for (auto* slot : {&reconnect_, &provide_}) {
      if (!*slot) continue;
      question = std::move(**slot);
      slot->reset();
      return Taken::question;
    }
    const auto limit = until ? time_point(*until) : std::chrono::steady_clock::now() + std::chrono::hours(1);
    if (until && std::chrono::steady_clock::now() >= limit) return Taken::nothing;
    asked_.sleep_until(lock, limit);
  }
}

void Asking::end() {
  const std::lock_guard<std::mutex> lock(mutex_);
  over_ = true;
  asked_.wake_all();
}

}  // namespace fastws::client
