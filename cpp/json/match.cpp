// Values are brought into one form when the match is made, so that comparing is cheap and exact.
#include "match.hpp"

#include <cmath>
#include <cstring>
#include <stdexcept>

#include "number.hpp"

namespace fastws::json {

namespace {

enum class Form : std::uint8_t { none, integer, real };

/// Whether the text has the form of a JSON number (RFC 8259 section 6), and which.
Form form_of(std::string_view text) {
  Number any;
  const char* const end = text.data() + text.size();
  if (text.empty() || read_number(text.data(), end, any) != end) return Form::none;
  return text.find_first_of(".eE") == std::string_view::npos ? Form::integer : Form::real;
}

std::string_view digits_of(std::string_view integer) { return integer == "-0" ? "0" : integer; }

}  // namespace

Match::Value Match::number_from(std::string_view json) {
  constexpr double most_exact = 9007199254740992.0;  // 2**53: every integer up to it is a double
  Value value;
  value.kind = Value::Kind::number;
  const Number number = read_number(json);
  if (form_of(json) == Form::integer) {
    value.text = digits_of(json);
    value.float64 = static_cast<double>(number.integer);
    value.has_float64 = number.kind == Number::Kind::integer && std::fabs(value.float64) < 0x1p63 &&
                        static_cast<std::int64_t>(value.float64) == number.integer;
    return value;
  }
  value.has_float64 = number.kind == Number::Kind::float64;
  value.float64 = number.float64;
  if (value.has_float64 && std::fabs(value.float64) <= most_exact &&
      std::trunc(value.float64) == value.float64) {
    value.text = std::to_string(static_cast<std::int64_t>(value.float64));
  }
  return value;
}

Match::Value Match::value_from(std::string_view json) {
  if (json == "null" || json == "true" || json == "false") {
    return {Value::Kind::literal, std::string(json), false, 0.0};
  }
  if (form_of(json) != Form::none) return number_from(json);
  std::string scratch;
  std::vector<Member> members;
  const std::string text = "{\"value\":" + std::string(json) + "}";
  if (find_members(text, {"value"}, members, scratch) && members[0].kind == Member::Kind::string) {
    if (const auto meaning = string_of(members[0], scratch)) {
      return {Value::Kind::string, std::string(*meaning), false, 0.0};
    }
  }
  throw std::invalid_argument("only strings, numbers, true, false and null can be matched, not " +
                              std::string(json));
}

Match::Match(const std::vector<std::pair<std::string, std::string>>& wanted) {
  if (wanted.empty()) throw std::invalid_argument("a match without keys would match everything");
  for (const auto& member : wanted) {
    keys_.push_back(member.first);
    values_.push_back(value_from(member.second));
    // A value says more than a key that may stand in every message.
    const bool is_string = values_.back().kind == Value::Kind::string;
    if (needle_.empty() || is_string) {
      needle_ = "\"" + (is_string ? values_.back().text : member.first) + "\"";
    }
  }
}

bool Match::is_excluded(std::string_view text) const noexcept {
  return text.find(needle_) == std::string_view::npos &&
         std::memchr(text.data(), '\\', text.size()) == nullptr;
}

bool Match::holds(const Member& member, const Value& value) {
  if (member.kind == Member::Kind::absent) return false;
  if (member.kind == Member::Kind::string) {
    if (value.kind != Value::Kind::string) return false;
    const auto meaning = string_of(member, scratch_);
    return meaning && *meaning == value.text;
  }
  if (value.kind == Value::Kind::literal) return member.raw == value.text;
  if (value.kind != Value::Kind::number) return false;
  switch (form_of(member.raw)) {
    case Form::integer: return digits_of(member.raw) == value.text;
    case Form::real: {
      if (!value.has_float64) return false;
      const Number number = read_number(member.raw);
      return number.kind == Number::Kind::float64 && !(number.float64 < value.float64) &&
             !(number.float64 > value.float64);
    }
    case Form::none: break;
  }
  return false;
}

bool Match::matches(std::string_view text) {
  if (is_excluded(text) || !find_members(text, keys_, members_, scratch_)) return false;
  for (std::size_t index = 0; index < keys_.size(); ++index) {
    if (!holds(members_[index], values_[index])) return false;
  }
  return true;
}

}  // namespace fastws::json
