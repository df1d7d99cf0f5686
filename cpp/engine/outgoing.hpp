// The sending half: frames and masks one message (RFC 6455 sections 5.2, 5.3) without touching the receiving connection.
//
// May know: the masking keys of engine/random. Promises: any thread may call it (each with an `out` of its own); one
// frame per message; the payload is not checked (text was made valid UTF-8 by whoever serialised it).
#pragma once

#include <string>
#include <string_view>

#include "engine.hpp"

namespace fastws::engine {

/// Deflated sets RSV1 (RFC 7692 section 6).
enum class Coding : std::uint8_t { plain, deflated };

/// Appends one masked, final frame to `out`.
void append_frame(std::string& out, Opcode opcode, std::string_view payload, Coding coding = Coding::plain);

/// The bytes append_frame() will add for a payload of this size.
std::size_t frame_size(std::size_t payload_size) noexcept;

/// True when `text` is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
bool is_utf8(std::string_view text) noexcept;

}  // namespace fastws::engine
