// Changes of a text that leave JSON what it is: libFuzzer's own seldom do.
//
// May know: libFuzzer. Promises: any bytes in; now and then, and where it finds no value, the change is libFuzzer's own.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fastws::fuzz {

/// Changes the text in its place and gives its new size, at most `most`.
std::size_t mutate_json(std::uint8_t* text, std::size_t size, std::size_t most, unsigned seed);

}  // namespace fastws::fuzz
