// A text that grows; see text.hpp.
//
// May know: the standard library. Promises: doubles its room, so that a long text is moved a few times only.

#include "text.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace fastws::json {

Text::~Text() {
  if (begin_ != inline_) std::free(begin_);
}

void Text::grow(std::size_t size) {
  const auto used = static_cast<std::size_t>(end_ - begin_);
  const auto capacity = static_cast<std::size_t>(limit_ - begin_);
  const std::size_t wanted = std::max(used + size, capacity * 2);
  const bool on_heap = begin_ != inline_;
  char* const moved = static_cast<char*>(std::realloc(on_heap ? begin_ : nullptr, wanted));
  if (moved == nullptr) throw std::bad_alloc();
  if (!on_heap) std::memcpy(moved, inline_, used);
  begin_ = moved;
  end_ = moved + used;
  limit_ = moved + wanted;
}

}  // namespace fastws::json
