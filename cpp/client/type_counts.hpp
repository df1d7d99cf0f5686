// How often each type of message came that nobody wanted.
//
// May know: nothing of this project. Promises: one thread counts, without a lock for a type it has met; any thread may look;
// a hostile server can not make it grow without end.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace fastws::client {

class TypeCounts {
 public:
  static constexpr std::size_t most_types = 1000;  // what comes above is counted as "(other)"

  /// The counting thread only.
  void count(std::string_view type);
  [[nodiscard]] std::uint64_t total() const noexcept { return total_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::map<std::string, std::uint64_t> by_type() const;

 private:
  /// A type in two words and its length: all there is of up to 16 bytes, a hash of longer ones.
  struct Brief {
    static constexpr std::size_t most_bytes = 16;

    Brief() = default;
    explicit Brief(std::string_view type) noexcept;
    [[nodiscard]] std::size_t hash() const noexcept;

    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::size_t size = 0;
  };

  struct Slot {
    [[nodiscard]] bool is_of(std::string_view asked, const Brief& asked_brief) const noexcept {
      return brief.size == asked_brief.size && brief.begin == asked_brief.begin &&
             brief.end == asked_brief.end && (brief.size <= Brief::most_bytes || type == asked);
    }

    Brief brief;
    std::string type;
    std::atomic<std::uint64_t> times{0};  // 0 = free
  };

  Slot& slot_of(std::string_view type, const Brief& brief) const noexcept;
  void grow();

  // Open addressing: types are looked up for every message that is dropped, so it is one step and no pointer to follow.
  // The lock is taken to change the table and to look from elsewhere.
  mutable std::mutex mutex_;
  std::unique_ptr<Slot[]> slots_;
  std::size_t size_ = 0;  // a power of two, more than half of it free
  std::size_t used_ = 0;
  std::atomic<std::uint64_t> total_{0};
};

}  // namespace fastws::client
