// Whether a text is an object whose top-level keys hold given values, told without parsing it into anything.
//
// May know: scan, number. Promises: most texts that do not match cost two searches for bytes; for every text that json.loads
// accepts the answer is that of comparing its values as JSON does: 1 and 1.0 are equal, 1 and true are not. Only scalars are
// compared. An integer beyond 64 bits equals nothing but the same digits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scan.hpp"

namespace fastws::json {

class Match {
 public:
  /// Keys, and the JSON text of each one's value. Throws std::invalid_argument when there is none, or one is no scalar.
  explicit Match(const std::vector<std::pair<std::string, std::string>>& wanted);

  /// On one thread at a time.
  [[nodiscard]] bool matches(std::string_view text);

 private:
  struct Value {
    enum class Kind : std::uint8_t { string, literal, number };
    Kind kind = Kind::literal;
    std::string text;  // a string's meaning, a literal, an integer's digits ("" = it has none)
    bool has_float64 = false;
    double float64 = 0.0;
  };

  static Value value_from(std::string_view json);
  static Value number_from(std::string_view json);
  [[nodiscard]] bool holds(const Member& member, const Value& value);
  [[nodiscard]] bool is_excluded(std::string_view text) const noexcept;

  std::vector<std::string> keys_;
  std::vector<Value> values_;
  std::string needle_;  // stands in every matching text that holds no escapes
  std::vector<Member> members_;
  std::string scratch_;
};

}  // namespace fastws::json
