// Two direct-mapped tables: a newcomer takes the place, so strangers can not make them grow.
#include "seen.hpp"

#include <algorithm>
#include <atomic>
#include <random>
#include <utility>

namespace fastws::json {

namespace {

/// Secret to this process, so that nobody can send keys that all meet in one place.
std::uint64_t secret() {
  static const std::uint64_t seed = [] {
    std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device();
  }();
  return seed;
}

}  // namespace

Seen::Seen()
    : seed_(secret()),
      strings_(std::make_unique<String[]>(strings)),
      lists_(std::make_unique<List[]>(lists)) {}
Seen::~Seen() = default;

void Seen::Key::set(const char* bytes, std::size_t size, std::uint64_t hash_of_it) noexcept {
  text.pack(bytes, size);
  hash = hash_of_it;
  quoted = text.words[0];
  mask = ~std::uint64_t{0};
  if (size < 8) {
    quoted |= std::uint64_t{'"'} << 8 * size;
    mask >>= 8 * (7 - size);
  }
  // What stood there as an escape does not stand there as it is; and these very bytes may mean something else.
  const bool escaped = std::any_of(bytes, bytes + size, [](char byte) {
    return byte == '"' || byte == '\\' || static_cast<unsigned char>(byte) < 0x20;
  });
  if (escaped) quoted = mask = 0xff;  // in no UTF-8 text
}

std::uint64_t Seen::next_number() noexcept {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

/// The object is not like the expected one after `agreed` keys: they are pending like those to come.
void Seen::disappointed(Keys& keys, std::size_t agreed) {
  const Known& expected = *keys.expected_;
  keys.expected_ = nullptr;
  for (std::size_t index = 0; index < agreed; ++index) {
    const Key& key = expected.keys[index];
    pending_.push_back({reinterpret_cast<const char*>(key.text.words.data()), key.text.size, key.hash});
  }
}

/// The number of the pending keys from `first` on, by the hash of the whole list.
std::uint64_t Seen::find(std::size_t first, std::size_t count) {
  Pending* keys = pending_.data() + first;
  std::uint64_t whole = seed_;
  for (std::size_t index = 0; index < count; ++index) {
    whole = (whole ^ keys[index].hash) * 0x9e3779b97f4a7c15;
    whole ^= whole >> 29;
  }
  List& list = lists_[whole % lists];
  if (list.hash != whole || list.count != count) {  // another list's place: taken over
    list.hash = whole;
    list.count = count;
    if (list.known != nullptr) retired_.push_back(std::move(list.known));
    return 0;
  }
  if (list.known == nullptr) {
    for (std::size_t index = 0; index < count; ++index) {
      if (keys[index].size > longest_key) return 0;
    }
    auto known = std::make_unique<Known>();
    known->keys = std::make_unique<Key[]>(count);
    for (std::size_t index = 0; index < count; ++index) {
      known->keys[index].set(keys[index].bytes, keys[index].size, keys[index].hash);
    }
    known->count = count;
    known->number = next_number();
    list.known = std::move(known);
  } else {
    for (std::size_t index = 0; index < count; ++index) {
      if (!list.known->keys[index].text.is(keys[index].bytes, keys[index].size)) return 0;
    }
  }
  likely_[keys[0].hash >> 56] = static_cast<std::uint16_t>(&list - lists_.get());
  return list.known->number;
}

}  // namespace fastws::json
