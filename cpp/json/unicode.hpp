// UTF-8 to code points of one size each, as Python's strings hold them.
//
// May know: nothing of this project. Promises: no allocation; the text must be valid UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fastws::json {

struct Width {
  std::size_t characters = 0;
  unsigned unit = 1;  // bytes that the widest character needs: 1 (to U+00FF), 2 (to U+FFFF), 4
};

Width width_of(std::string_view utf8) noexcept;

/// Writes width.characters units of width.unit bytes. `utf8` must be the text that was measured.
void decode(std::string_view utf8, const Width& width, void* units) noexcept;

/// Whether a surrogate is in it, which UTF-8 must not hold: for text that was put together from escapes.
bool holds_surrogate(std::string_view almost_utf8) noexcept;

}  // namespace fastws::json
