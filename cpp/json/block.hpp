// Sixteen bytes of text looked at in one step: where quotes, backslashes, control characters and non-ASCII bytes are.
//
// May know: nothing of this project. Promises: a mask has bit i set for byte i; both kinds of block answer alike, Block is
// the faster one of this machine. The caller answers for sixteen readable bytes, and for as many writable
// ones where it stores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace fastws::json {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized =
    __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the words of this folder hold the first byte lowest");

using Mask = std::uint32_t;  // the low 16 bits

/// The index of the lowest set bit; the mask must not be 0.
inline unsigned first_of(Mask mask) noexcept { return static_cast<unsigned>(__builtin_ctz(mask)); }

/// In plain C++: eight bytes in a word, each judged in its highest bit.
class PortableBlock {
 public:
  static constexpr std::size_t size = 16;

  explicit PortableBlock(const char* bytes) noexcept { std::memcpy(words_, bytes, size); }
  /// Whether sixteen bytes can be read where perhaps fewer belong to anybody.
  static bool may_over_read(const char*) noexcept { return false; }
  void store(char* to) const noexcept { std::memcpy(to, words_, size); }

  [[nodiscard]] Mask equal(char byte) const noexcept {
    return each([byte](std::uint64_t word) { return zeros(word ^ ones * static_cast<unsigned char>(byte)); });
  }
  /// Equal to a byte that has the bit 0x20, or to the one without it: '{' and '[' differ in that bit alone.
  [[nodiscard]] Mask equal_folded(char byte) const noexcept {
    return each([byte](std::uint64_t word) {
      return zeros((word | ones * 0x20) ^ ones * static_cast<unsigned char>(byte));
    });
  }
  /// Equal to `byte`, or to `first` with `second` behind it; `next` is the block one byte further on.
  [[nodiscard]] Mask equal_or_pair(char byte, char first, const PortableBlock& next,
                                   char second) const noexcept {
    return equal(byte) | (equal(first) & next.equal(second));
  }
  [[nodiscard]] Mask control() const noexcept {  // below 0x20
    return each([](std::uint64_t word) { return zeros(word & ones * 0xe0); });
  }
  [[nodiscard]] Mask non_ascii() const noexcept {
    return each([](std::uint64_t word) { return word & highs; });
  }

 private:
  static constexpr std::uint64_t ones = 0x0101010101010101;
  static constexpr std::uint64_t highs = ones * 0x80;

  /// The highest bit of every byte that is zero, and of no other.
  static std::uint64_t zeros(std::uint64_t word) noexcept {
    return ~(((word & ~highs) + ~highs) | word) & highs;
  }
  template <class Judge>
  [[nodiscard]] Mask each(Judge judge) const noexcept {
    Mask mask = 0;
    for (int half = 1; half >= 0; --half) {
      // The highest bits of eight bytes, gathered in the top byte by one multiplication.
      mask = mask << 8 | static_cast<Mask>((judge(words_[half]) >> 7) * 0x0102040810204080 >> 56);
    }
    return mask;
  }

  std::uint64_t words_[2];
};

#if defined(__SSE2__)

class VectorBlock {
 public:
  static constexpr std::size_t size = 16;

  explicit VectorBlock(const char* bytes) noexcept
      : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes))) {}
  /// Whether sixteen bytes can be read where perhaps fewer belong to anybody: memory is readable by whole pages, and pages
  /// have 4096 bytes at least. A sanitizer, which knows the owner of every byte, would object.
  static bool may_over_read(const char* bytes) noexcept {
    return !sanitized && reinterpret_cast<std::uintptr_t>(bytes) % 4096 <= 4096 - size;
  }
  void store(char* to) const noexcept { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes_); }

  [[nodiscard]] Mask equal(char byte) const noexcept {
    return mask(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8(byte)));
  }
  [[nodiscard]] Mask equal_folded(char byte) const noexcept {
    return mask(_mm_cmpeq_epi8(_mm_or_si128(bytes_, _mm_set1_epi8(0x20)), _mm_set1_epi8(byte)));
  }
  [[nodiscard]] Mask equal_or_pair(char byte, char first, const VectorBlock& next,
                                   char second) const noexcept {
    const __m128i pair = _mm_and_si128(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8(first)),
                                       _mm_cmpeq_epi8(next.bytes_, _mm_set1_epi8(second)));
    return mask(_mm_or_si128(pair, _mm_cmpeq_epi8(bytes_, _mm_set1_epi8(byte))));
  }
  [[nodiscard]] Mask control() const noexcept {
    return mask(_mm_cmpeq_epi8(_mm_min_epu8(bytes_, _mm_set1_epi8(0x1f)), bytes_));
  }
  [[nodiscard]] Mask non_ascii() const noexcept { return mask(bytes_); }

 private:
  static Mask mask(__m128i bytes) noexcept { return static_cast<Mask>(_mm_movemask_epi8(bytes)); }

  __m128i bytes_;
};

using Block = VectorBlock;

#else

using Block = PortableBlock;

#endif

}  // namespace fastws::json
