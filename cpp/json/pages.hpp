// The memory of a Buffer: small runs from the heap, large ones in pages of their own, straight from the system.
//
// May know: the system's memory calls. Promises: what is released goes back to the system at once when it is large. The
// heap would keep it: glibc gives back only what lies above everything that lives longer, so a backlog of a gigabyte, long
// since read, could stay with a process of idle connections.
#pragma once

#include <cstddef>

namespace fastws::json {

/// Like std::realloc, from `from` to `to` bytes; `mapped` says, and is told, where they lie. nullptr: no memory, nothing changed.
void* resize_pages(void* data, std::size_t from, std::size_t to, bool& mapped) noexcept;
void release_pages(void* data, std::size_t bytes, bool mapped) noexcept;

}  // namespace fastws::json
