// Cryptographic random bytes for masking keys and handshake nonces (RFC 6455 sections 4.1, 5.3, 10.3).
//
// May know: the operating system's generator. Promises: any thread may call; no byte is given out twice, not
// even to a parent and its forked child. Throws std::system_error when the system gives no randomness, rather
// than weak keys.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastws::engine {

void random_bytes(void* out, std::size_t size);
std::uint32_t random_u32();

}  // namespace fastws::engine
