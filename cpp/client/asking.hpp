// Questions for the user's callables (`url`, `headers`, `should_reconnect`), asked by a thread of Python (R16).
//
// May know: the alarm, the shared error vocabulary. Promises: only the newest question of each kind waits; what nobody
// has asked when a newer one comes is forgotten; nothing here takes the GIL.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "../error.hpp"
#include "alarm.hpp"

namespace fastws::client {

struct Question {
  enum class Kind : std::uint8_t { provide, should_reconnect };
  Kind kind = Kind::provide;
  std::uint64_t epoch = 0;
  std::uint32_t attempt = 0;
  bool is_reconnect = false;
  std::optional<std::uint16_t> last_close;
  std::optional<Failure> last_error;
};

class Asking {
 public:
  enum class Taken : std::uint8_t { question, nothing, over };

  void ask(Question question);
  /// Sleeps until there is a question or `until` (monotonic seconds; nullopt = for ever). Without the GIL.
  Taken take(Question& question, std::optional<double> until);
  void end();

 private:
  std::mutex mutex_;
  Alarm asked_;
  std::unique_ptr<Question> provide_;
  std::unique_ptr<Question> reconnect_;
  bool over_ = false;
};

}  // namespace fastws::client
