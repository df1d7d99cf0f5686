// websocketpp's configuration traits: which of its parts we replace, and why.
//
// May know: websocketpp. Only engine.cpp and protocol.hpp include it. Promises: this header comes before any
// other of websocketpp's, because the validator is replaced by taking its header guard.
#pragma once

#include "utf8.hpp"

// websocketpp names its validator directly, not through a trait, so ours takes the place of the header: its
// byte-wise automaton reads 0.4 GB/s and would bound everything else.
#define UTF8_VALIDATOR_HPP

#include <string>

namespace websocketpp::utf8_validator {

class validator {
 public:
  template <typename Iterator>
  bool decode(Iterator begin, Iterator end) {
    return begin == end || validator_.feed(&*begin, static_cast<std::size_t>(end - begin));
  }
  [[nodiscard]] bool complete() const { return validator_.complete(); }
  void reset() { validator_.reset(); }

 private:
  fastws::engine::Utf8Validator validator_;
};

inline bool validate(const std::string& text) {
  validator whole;
  return whole.decode(text.begin(), text.end()) && whole.complete();
}

}  // namespace websocketpp::utf8_validator

#include <websocketpp/http/request.hpp>
#include <websocketpp/http/response.hpp>

#include "inflater.hpp"
#include "message.hpp"
#include "random.hpp"

namespace fastws::engine {

/// websocketpp asks std::random_device for every masking key: 23 us where that is the processor's RDSEED.
struct RandomSource {
  std::uint32_t operator()() const { return random_u32(); }
};

struct Config {
  using request_type = websocketpp::http::parser::request;
  using response_type = websocketpp::http::parser::response;

  // Recycled buffers instead of two allocations per message.
  using message_type = Message;
  using con_msg_manager_type = MessageSlots;

  using rng_type = RandomSource;

  // websocketpp's own inflates without a limit, takes whatever the server answers and falls silent after a final block.
  // The switch stays on with either: switched off, websocketpp fails every handshake.
  using permessage_deflate_type = Inflater;
  static constexpr bool enable_extensions = true;

  static constexpr std::size_t max_message_size = std::size_t{64}
                                                  << 20;  // replaced by Limits in every engine
};

}  // namespace fastws::engine
