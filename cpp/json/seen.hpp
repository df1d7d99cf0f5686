// Numbers for what repeats from message to message: the lists of keys of objects, and short strings. Who makes objects of
// the tape may keep one for a number, and need not look at the bytes again.
//
// May know: nothing of this project. Promises: a number means the same bytes for the life of the process, whoever gave it;
// fixed memory, whatever a server sends; places are chosen by a hash with a secret seed. Behind the bytes given to it 24 more
// must be readable, and the lowest byte of a word be its first in memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace fastws::json {

/// At most `most` bytes in whole words, the rest of them zeros: compared without looking at single bytes.
template <std::size_t most>
struct Packed {
  std::size_t size = 0;
  std::array<std::uint64_t, most / 8> words{};

  static std::uint64_t word(const char* bytes, std::size_t size, std::size_t at) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes + at, sizeof value);
    const std::size_t left = size - at;
    return left >= 8 ? value : value & ((std::uint64_t{1} << 8 * left) - 1);
  }
  void pack(const char* bytes, std::size_t count) noexcept {
    *this = {};
    size = count;
    for (std::size_t at = 0; at < count; at += 8) words[at / 8] = word(bytes, count, at);
  }
  [[nodiscard]] bool is(const char* bytes, std::size_t count) const noexcept {
    if (size != count) return false;
    for (std::size_t at = 0; at < count; at += 8) {
      if (words[at / 8] != word(bytes, count, at)) return false;
    }
    return true;
  }
};

class Seen {
 public:
  static constexpr std::size_t longest_string = 24;

  Seen();
  ~Seen();
  Seen(const Seen&) = delete;
  Seen& operator=(const Seen&) = delete;

  /// A hash of at most 64 bytes.
  [[nodiscard]] std::uint64_t hash(const char* bytes, std::size_t size) const noexcept {
    std::uint64_t value = seed_ ^ size * 0x9e3779b97f4a7c15;
    for (std::size_t at = 0; at < size; at += 8) {
      value = (value ^ Packed<8>::word(bytes, size, at)) * 0xff51afd7ed558ccd;
      value ^= value >> 32;
    }
    return value;
  }

  /// The number of a string of at most longest_string bytes that was met before, else 0.
  std::uint64_t string(const char* bytes, std::size_t size) noexcept {
    // All three words whatever the size: sizes follow no rule that a processor could foresee.
    std::uint64_t words[3];
    std::memcpy(words, bytes, sizeof words);
    for (std::size_t index = 0; index < 3; ++index) words[index] &= string_masks[size][index];
    std::uint64_t mixed = (words[0] ^ seed_) * 0xff51afd7ed558ccd;
    mixed ^= (words[1] ^ seed_) * 0x9e3779b97f4a7c15 ^ (words[2] + size) * 0xc4ceb9fe1a85ec53;
    String& here = strings_[(mixed ^ mixed >> 32) * 0xff51afd7ed558ccd >> 54];
    const std::uint64_t differs = (here.words[0] ^ words[0]) | (here.words[1] ^ words[1]) |
                                  (here.words[2] ^ words[2]) | (here.size ^ size);
    if (differs != 0) {  // another one's place: taken over
      here = {{words[0], words[1], words[2]}, size, 0};
      return 0;
    }
    if (here.number == 0) here.number = next_number();
    return here.number;
  }

  /// A key that was met before.
  struct Met {
    std::size_t size = 0;
    std::uint16_t hash = 0;
  };

  /// The list of keys of an object that is being read. An object like an earlier one costs one comparison a key.
  struct Known;
  class Keys {
   public:
    /// Notes the key that comes next in objects like the one that this one has been like so far, if `bytes` begin with it
    /// and a quote. nullopt = something else stands there, which may be the key all the same.
    std::optional<Met> expected(const char* bytes) noexcept;
    /// Notes the next key and gives its hash.
    std::uint16_t add(Seen& seen, const char* bytes, std::size_t size);
    /// Notes a key that lists with numbers do not have.
    void spoil() noexcept { spoilt_ = true; }
    /// The number of the whole list when it was met before, else 0.
    std::uint64_t number(Seen& seen);

   private:
    friend class Seen;
    const Known* expected_ = nullptr;  // it has agreed so far
    std::size_t count_ = 0;
    std::size_t first_ = 0;  // where in Seen::pending_ the keys begin
    bool spoilt_ = false;
  };
  /// Objects end in the opposite order of their beginnings.
  [[nodiscard]] Keys begin() const noexcept;
  void clear() noexcept {
    if (pending_.capacity() > most_kept) std::vector<Pending>().swap(pending_);
    pending_.clear();
    retired_.clear();
  }

 private:
  static constexpr std::size_t longest_key = 40;
  static constexpr std::size_t most_keys = 32;
  static constexpr std::size_t most_kept =
      16384;  // keys; what a deeply nested text needed is not held for ever
  static constexpr std::size_t strings = 1024;
  static constexpr std::size_t lists = 512;

  struct Key {
    Packed<longest_key> text;
    std::uint64_t hash = 0;
    std::uint64_t quoted = 0;  // the first word of the key and the quote behind it, or what stands nowhere,
    std::uint64_t mask = 0;    // and which of its bytes are theirs

    void set(const char* bytes, std::size_t size, std::uint64_t hash_of_it) noexcept;
    [[nodiscard]] bool is_quoted(const char* bytes) const noexcept {
      const std::uint64_t word = Packed<8>::word(bytes, 8, 0);
      if (((word ^ quoted) & mask) != 0) return false;
      // No key holds a zero byte: what is compared here is not looked at behind the end of a text.
      return text.size < 8 || (text.is(bytes, text.size) && bytes[text.size] == '"');
    }
  };
  struct Pending {
    const char* bytes;
    std::size_t size;
    std::uint64_t hash;
  };
  struct String {
    std::uint64_t words[3] = {};
    std::uint64_t size = 0;
    std::uint64_t number = 0;
  };
  using StringMasks = std::array<std::array<std::uint64_t, 3>, longest_string + 1>;
  static constexpr StringMasks make_string_masks() noexcept {
    StringMasks masks{};
    for (std::size_t size = 0; size <= longest_string; ++size) {
      for (std::size_t byte = 0; byte < size; ++byte)
        masks[size][byte / 8] |= std::uint64_t{0xff} << byte % 8 * 8;
    }
    return masks;
  }
  static const StringMasks string_masks;

 public:
  struct Known {
    std::uint64_t number = 0;
    std::size_t count = 0;
    std::unique_ptr<Key[]> keys;
  };

 private:
  struct List {
    std::uint64_t hash = 0;
    std::size_t count = 0;
    std::unique_ptr<const Known> known;  // made at the second meeting
  };

  static std::uint64_t next_number() noexcept;
  void disappointed(Keys& keys, std::size_t agreed);
  std::uint64_t find(std::size_t first, std::size_t count);

  const std::uint64_t seed_;
  const std::unique_ptr<String[]> strings_;
  const std::unique_ptr<List[]> lists_;
  std::array<std::uint16_t, 256>
      likely_{};  // by the first key: the list that was last found to begin with it
  std::vector<std::unique_ptr<const Known>>
      retired_;  // an object that is being read may still expect one of them
  std::vector<Pending>
      pending_;  // the keys of all objects that are being read and not like an earlier one so far
};

inline constexpr Seen::StringMasks Seen::string_masks = Seen::make_string_masks();

inline Seen::Keys Seen::begin() const noexcept {
  Keys keys;
  keys.first_ = pending_.size();
  return keys;
}

inline std::optional<Seen::Met> Seen::Keys::expected(const char* bytes) noexcept {
  if (expected_ == nullptr || count_ >= expected_->count) return std::nullopt;
  const Key& key = expected_->keys[count_];
  if (!key.is_quoted(bytes)) return std::nullopt;
  ++count_;
  return Met{key.text.size, static_cast<std::uint16_t>(key.hash >> 16)};
}

inline std::uint16_t Seen::Keys::add(Seen& seen, const char* bytes, std::size_t size) {
  const std::size_t index = count_++;
  if (expected_ != nullptr) {
    if (index < expected_->count && expected_->keys[index].text.is(bytes, size)) {
      return static_cast<std::uint16_t>(expected_->keys[index].hash >> 16);
    }
    seen.disappointed(*this, index);
  }
  const std::uint64_t hash = seen.hash(bytes, size);
  if (index == 0) {
    const Known* likely = seen.lists_[seen.likely_[hash >> 56]].known.get();
    if (likely != nullptr && likely->keys[0].text.is(bytes, size)) {
      expected_ = likely;
      return static_cast<std::uint16_t>(hash >> 16);
    }
  }
  if (index < most_keys) seen.pending_.push_back({bytes, size, hash});  // longer lists have no number
  return static_cast<std::uint16_t>(hash >> 16);
}

inline std::uint64_t Seen::Keys::number(Seen& seen) {
  std::uint64_t number = 0;
  if (expected_ != nullptr && expected_->count == count_ && !spoilt_) {
    number = expected_->number;
  } else if (!spoilt_ && count_ != 0 && count_ <= most_keys) {
    if (expected_ != nullptr) seen.disappointed(*this, count_);  // it has more keys
    number = seen.find(first_, count_);
  }
  seen.pending_.resize(first_);
  return number;
}

}  // namespace fastws::json
