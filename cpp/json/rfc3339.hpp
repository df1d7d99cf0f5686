// Dates and times as RFC 3339 writes them, from plain numbers.
//
// May know: nothing of this project. Promises: fields of fixed width; microseconds only where there are some.
#pragma once

#include <cstddef>

namespace fastws::json {

constexpr std::size_t longest_time = 48;  // "2000-01-01T00:00:00.000000+00:00", its quotes and a comma

/// `width` digits with leading zeros, and the byte that follows them.
inline char* put_digits(char* at, int value, int width, char then) {
  for (int i = width - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
  at[width] = then;
  return at + width + 1;
}

inline char* put_date(char* at, int year, int month, int day, char then) {
  at = put_digits(at, year, 4, '-');
  at = put_digits(at, month, 2, '-');
  return put_digits(at, day, 2, then);
}

inline char* put_clock(char* at, int hour, int minute, int second, int microsecond) {
  at = put_digits(at, hour, 2, ':');
  at = put_digits(at, minute, 2, ':');
  at = put_digits(at, second, 2, '.');
  return microsecond == 0 ? at - 1 : put_digits(at, microsecond, 6, '.') - 1;
}

}  // namespace fastws::json
