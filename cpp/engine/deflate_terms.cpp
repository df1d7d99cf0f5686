// A small parser of RFC 6455 section 9.1's grammar, then the rules of RFC 7692 section 7.1, one by one.
#include "deflate_terms.hpp"

#include <utility>
#include <vector>

#include "../ascii.hpp"

namespace fastws::engine {
namespace {

constexpr std::string_view kName = "permessage-deflate";
constexpr int kFullWindow = 15;
constexpr int kLeastWindow = 8;

struct Parameter {
  std::string name;
  std::optional<std::string> value;
};

struct Extension {
  std::string name;
  std::vector<Parameter> parameters;
};

/// extension-list = 1#( token *( ";" token [ "=" ( token / quoted-string ) ] ) )
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::optional<std::vector<Extension>> read() {
    std::vector<Extension> all;
    for (;;) {
      Extension one;
      if (!token(one.name)) return std::nullopt;
      while (skip(';')) {
        Parameter parameter;
        if (!token(parameter.name)) return std::nullopt;
        if (skip('=') && !value(parameter.value.emplace())) return std::nullopt;
        one.parameters.push_back(std::move(parameter));
      }
      all.push_back(std::move(one));
      spaces();
      if (at_ == text_.size()) return all;
      if (!skip(',')) return std::nullopt;
    }
  }

 private:
  void spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  bool skip(char wanted) {
    spaces();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  bool token(std::string& out) {
    spaces();
    while (at_ < text_.size() && in_token(text_[at_])) out.push_back(text_[at_++]);
    return !out.empty();
  }

  /// A quoted value must be a token once its quotes and backslashes are gone.
  bool value(std::string& out) {
    if (!skip('"')) return token(out);
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\' && ++at_ == text_.size()) return false;
      if (!in_token(text_[at_])) return false;
      out.push_back(text_[at_++]);
    }
    if (at_ == text_.size()) return false;
    ++at_;
    return !out.empty();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// 8 to 15 without leading zeros (RFC 7692 section 7.1.2); 0 = something else.
int window_of(const std::optional<std::string>& value) {
  if (!value || value->empty() || value->size() > 2) return 0;
  int bits = 0;
  for (const char digit : *value) {
    if (digit < '0' || digit > '9') return 0;
    bits = bits * 10 + (digit - '0');
  }
  const bool leading_zero = value->front() == '0';
  return leading_zero || bits < kLeastWindow || bits > kFullWindow ? 0 : bits;
}

/// One parameter's effect, or what is wrong with it.
std::string take(const Parameter& parameter, const DeflateOptions& options, DeflateTerms& terms) {
  const std::string shown = parameter.name + (parameter.value ? "=" + *parameter.value : "");
  const bool takeover =
      parameter.name == "server_no_context_takeover" || parameter.name == "client_no_context_takeover";
  if (takeover) {
    if (parameter.value) return shown + " has a value";
    (parameter.name[0] == 's' ? terms.server_takeover : terms.client_takeover) = false;
    return {};
  }
  const bool servers = parameter.name == "server_max_window_bits";
  if (!servers && parameter.name != "client_max_window_bits") return "there is no parameter " + shown;
  const int bits = window_of(parameter.value);
  if (bits == 0) return shown + " is not a window of 8 to 15 bits";
  if (bits > options.window_bits) {
    return shown + " is more than the " + std::to_string(options.window_bits) + " bits offered";
  }
  (servers ? terms.server_bits : terms.client_bits) = bits;
  return {};
}

std::string fault_of(const Extension& answer, const DeflateOptions& options, DeflateTerms& terms) {
  terms.client_bits = options.window_bits;
  bool window_answered = false;
  std::vector<std::string_view> seen;
  for (const Parameter& parameter : answer.parameters) {
    for (const std::string_view name : seen) {
      if (name == parameter.name) return parameter.name + " stands there twice";
    }
    seen.push_back(parameter.name);
    std::string fault = take(parameter, options, terms);
    if (!fault.empty()) return fault;
    window_answered = window_answered || parameter.name == "server_max_window_bits";
  }
  // The two that bind the server when we offer them: it agrees, or it declines the whole offer.
  if (!options.context_takeover && terms.server_takeover) return "server_no_context_takeover is missing";
  if (options.window_bits < kFullWindow && !window_answered) return "server_max_window_bits is missing";
  terms.client_takeover = terms.client_takeover && options.context_takeover;
  return {};
}

}  // namespace

std::string compose_deflate_offer(const DeflateOptions& options) {
  if (!options.offered) return {};
  std::string offer(kName);
  const std::string bits = "=" + std::to_string(options.window_bits);
  const bool full = options.window_bits == kFullWindow;
  offer.append("; client_max_window_bits").append(full ? "" : bits);
  if (!full) offer.append("; server_max_window_bits").append(bits);
  if (!options.context_takeover) offer.append("; client_no_context_takeover; server_no_context_takeover");
  return offer;
}

DeflateAnswer judge_deflate_answer(std::string_view header, const DeflateOptions& options) {
  DeflateAnswer judged;
  if (header.empty()) return judged;
  const std::string shown(header.substr(0, 200));
  if (!options.offered) {
    judged.fault = "the server chose an extension that was not offered: " + shown;
    return judged;
  }
  const auto answers = Reader(header).read();
  if (!answers) {
    judged.fault = "the server's Sec-WebSocket-Extensions header can not be read: " + shown;
    return judged;
  }
  if (answers->size() != 1 || answers->front().name != kName) {
    judged.fault = "the server chose extensions that were not offered: " + shown;
    return judged;
  }
  DeflateTerms terms;
  const std::string fault = fault_of(answers->front(), options, terms);
  if (fault.empty()) {
    judged.terms = terms;
  } else {
    judged.fault = "the server's answer to permessage-deflate breaks RFC 7692 (" + fault + "): " + shown +
                   "; compress=False does without it";
  }
  return judged;
}

}  // namespace fastws::engine
