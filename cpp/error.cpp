// The names of the phases, as users see them.
#include "error.hpp"

namespace fastws {

std::string_view name(Phase phase) noexcept {
  switch (phase) {
    case Phase::none: return "none";
    case Phase::resolve: return "resolve";
    case Phase::tcp: return "tcp";
    case Phase::proxy: return "proxy";
    case Phase::tls: return "tls";
    case Phase::http: return "http";
    case Phase::timeout: return "timeout";
    case Phase::provider: return "provider";
    case Phase::decode: return "decode";
    case Phase::handler: return "handler";
    case Phase::protocol: return "protocol";
    case Phase::limit: return "limit";
    case Phase::record: return "record";
  }
  return "none";
}

}  // namespace fastws
