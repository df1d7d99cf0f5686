// UTF-8 checking (RFC 3629), streaming: text may be cut anywhere, also inside a code point.
//
// May know: nothing of this project. Promises: no surrogates, no overlong forms, nothing above U+10FFFF; a
// chunk after which the text can not become valid any more is refused; nothing throws or allocates.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastws::engine {

class Utf8Validator {
 public:
  /// Checks the next chunk. False: the text is not UTF-8, whatever follows.
  bool feed(const char* data, std::size_t size) noexcept;
  /// True when the text so far is valid and does not end inside a code point.
  [[nodiscard]] bool complete() const noexcept { return state_ == 0; }
  void reset() noexcept { state_ = 0; }

 private:
  std::uint8_t state_ = 0;
};

}  // namespace fastws::engine
