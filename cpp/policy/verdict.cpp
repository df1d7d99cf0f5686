// The verdict table of reconnect-spec section 5, and the hints by which servers ask for time.
#include "verdict.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "../ascii.hpp"

namespace fastws::policy {

namespace {

// Not in RFC 6455; registered with IANA since, as "Try Again Later".
constexpr std::uint16_t try_again_later = 1013;

/// Days from 1970-01-01 to a date of the Gregorian calendar; a year that begins in March ends with its leap day.
std::int64_t days_since_epoch(std::int64_t year, int month, int day) noexcept {
  const std::int64_t shifted = month > 2 ? year : year - 1;
  const std::int64_t month_from_march = month > 2 ? month - 3 : month + 9;
  const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year - 719468;
}

std::int64_t year_of(double unix_seconds) noexcept {
  return 1970 + static_cast<std::int64_t>(std::floor(unix_seconds / (365.2425 * 86400.0)));
}

/// Reads a date from its front to its back; after the first part that does not fit, nothing fits any more.
class DateText {
 public:
  explicit DateText(std::string_view text) noexcept : rest_(text) {}

  void expect(std::string_view wanted) noexcept {
    if (rest_.substr(0, wanted.size()) != wanted) return fail();
    rest_.remove_prefix(wanted.size());
  }

  int digits(std::size_t count) noexcept {
    int value = 0;
    for (std::size_t at = 0; at < count; ++at) {
      if (rest_.empty() || !is_digit(rest_.front())) {
        fail();
        return 0;
      }
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }

  /// asctime() pads the day of the month with a space.
  int padded_day() noexcept {
    if (rest_.empty() || rest_.front() != ' ') return digits(2);
    rest_.remove_prefix(1);
    return digits(1);
  }

  /// The 0-based place of the name that the text begins with.
  template <std::size_t Count>
  int one_of(const std::array<std::string_view, Count>& names) noexcept {
    for (std::size_t at = 0; at < Count; ++at) {
      if (rest_.substr(0, names[at].size()) != names[at]) continue;
      rest_.remove_prefix(names[at].size());
      return static_cast<int>(at);
    }
    fail();
    return 0;
  }

  [[nodiscard]] bool complete() const noexcept { return good_ && rest_.empty(); }

 private:
  void fail() noexcept { good_ = false; }

  std::string_view rest_;
  bool good_ = true;
};

constexpr std::array<std::string_view, 7> short_days = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> long_days = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                       "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Date {
  std::int64_t year = 0;
  int month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

void read_time(DateText& text, Date& date) noexcept {
  date.hour = text.digits(2);
  text.expect(":");
  date.minute = text.digits(2);
  text.expect(":");
  date.second = text.digits(2);
}

/// Sun, 06 Nov 1994 08:49:37 GMT
bool read_imf_fixdate(DateText text, Date& date) noexcept {
  text.one_of(short_days);
  text.expect(", ");
  date.day = text.digits(2);
  text.expect(" ");
  date.month = text.one_of(months) + 1;
  text.expect(" ");
  date.year = text.digits(4);
  text.expect(" ");
  read_time(text, date);
  text.expect(" GMT");
  return text.complete();
}

/// Sunday, 06-Nov-94 08:49:37 GMT. What seems more than 50 years ahead is of the past century, and the reverse.
bool read_rfc850(DateText text, Date& date, double now) noexcept {
  text.one_of(long_days);
  text.expect(", ");
  date.day = text.digits(2);
  text.expect("-");
  date.month = text.one_of(months) + 1;
  text.expect("-");
  const std::int64_t present = year_of(now);
  date.year = present - present % 100 + text.digits(2);
  if (date.year > present + 50) {
    date.year -= 100;
  } else if (date.year <= present - 50) {
    date.year += 100;
  }
  text.expect(" ");
  read_time(text, date);
  text.expect(" GMT");
  return text.complete();
}

/// Sun Nov  6 08:49:37 1994
bool read_asctime(DateText text, Date& date) noexcept {
  text.one_of(short_days);
  text.expect(" ");
  date.month = text.one_of(months) + 1;
  text.expect(" ");
  date.day = text.padded_day();
  text.expect(" ");
  read_time(text, date);
  text.expect(" ");
  date.year = text.digits(4);
  return text.complete();
}

int days_in(std::int64_t year, int month) noexcept {
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (month == 2) return leap ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

std::optional<double> unix_seconds(const Date& date) noexcept {
  const bool exists = date.day >= 1 && date.day <= days_in(date.year, date.month) && date.hour < 24 &&
                      date.minute < 60 && date.second <= 60;  // 60 is a leap second
  if (!exists) return std::nullopt;
  const std::int64_t days = days_since_epoch(date.year, date.month, date.day);
  return static_cast<double>(days * 86400 + date.hour * 3600 + date.minute * 60 + date.second);
}

std::optional<double> parse_date(std::string_view value, double now) noexcept {
  Date date;
  const DateText text(value);
  if (read_imf_fixdate(text, date) || read_rfc850(text, date, now) || read_asctime(text, date)) {
    return unix_seconds(date);
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view value) noexcept {
  const auto blank = [](char character) { return character == ' ' || character == '\t'; };
  while (!value.empty() && blank(value.front())) value.remove_prefix(1);
  while (!value.empty() && blank(value.back())) value.remove_suffix(1);
  return value;
}

}  // namespace

Verdict judge(const Failure& failure, bool ever_opened, bool has_provider) noexcept {
  if (ever_opened) return Verdict::retry;  // a deploy in progress, an expired token: it has worked before
  if (failure.definitive) return Verdict::stop;
  const int status = failure.http_status;
  if (status == 0 || status == 408 || status == 425 || status == 429) return Verdict::retry;
  if (status >= 500 && status <= 599) return Verdict::retry;
  if (has_provider && (status == 401 || status == 403)) return Verdict::retry;
  return Verdict::stop;
}

Verdict judge(const Backoff& backoff, std::uint16_t close_code) noexcept {
  return backoff.fatal_close_codes.count(close_code) != 0 ? Verdict::stop : Verdict::retry;
}

double close_code_floor(const Backoff& backoff, std::uint16_t code, double jitter, double hint) {
  if (const auto range = backoff.close_code_delay.find(code); range != backoff.close_code_delay.end()) {
    const auto [least, most] = range->second;
    return least + (most - least) * hint;
  }
  return code == try_again_later ? jittered(backoff, backoff.cap, jitter) : 0.0;
}

double retry_after_floor(const Backoff& backoff, double asked, double hint) noexcept {
  if (!(asked > 0.0)) return 0.0;  // NaN as well
  return std::min(asked, backoff.retry_after_cap) * (1.0 + 0.1 * hint);
}

std::optional<double> parse_retry_after(std::string_view value, double wall_now_unix_seconds) {
  value = trimmed(value);
  if (value.empty()) return std::nullopt;
  if (std::all_of(value.begin(), value.end(), is_digit)) {
    double seconds = 0.0;
    for (const char digit : value)
      seconds = seconds * 10.0 + (digit - '0');  // at worst infinite, then capped
    return seconds;
  }
  const std::optional<double> date = parse_date(value, wall_now_unix_seconds);
  if (!date) return std::nullopt;
  return std::max(0.0, *date - wall_now_unix_seconds);
}

}  // namespace fastws::policy
