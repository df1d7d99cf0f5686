// Doubles and floats -> text: the shortest that reads back as the same double, laid out as Python's repr.
//
// May know: nothing of this project. Promises: correctly rounded, for every finite double.
#pragma once

#include <cstddef>

namespace fastws::json {

constexpr std::size_t longest_double = 40;  // 24 characters, and what whole words write behind them

/// The value must be finite; longest_double bytes must be writable. Gives the end.
char* put_double(char* at, double value);
/// The shortest text that reads back as the same float: fewer digits than the double of the same value has.
char* put_float(char* at, float value);

}  // namespace fastws::json
