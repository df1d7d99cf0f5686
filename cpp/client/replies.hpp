// What a client answers by itself (reconnect-spec section 8): texts that match, and the reply to each.
//
// May know: json/match. Promises: belongs to the I/O thread; the first rule that matches gives the one reply.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../json/match.hpp"

namespace fastws::client {

/// Top-level keys with the JSON text of each one's value, and the JSON text of the reply.
struct ReplyRule {
  std::vector<std::pair<std::string, std::string>> match;
  std::string reply;
};

class Replies {
 public:
  /// Throws std::invalid_argument when a rule can not be used.
  explicit Replies(const std::vector<ReplyRule>& rules) {
    for (const ReplyRule& rule : rules) rules_.emplace_back(json::Match(rule.match), rule.reply);
  }

  [[nodiscard]] bool any() const noexcept { return !rules_.empty(); }
  /// The reply that is due, or nullptr.
  [[nodiscard]] const std::string* reply_to(std::string_view text) {
    for (auto& rule : rules_) {
      if (rule.first.matches(text)) return &rule.second;
    }
    return nullptr;
  }

 private:
  std::vector<std::pair<json::Match, std::string>> rules_;
};

}  // namespace fastws::client
