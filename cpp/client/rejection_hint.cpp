// By the status, as reconnect-spec and RFC 9110 section 15 read it.
#include "rejection_hint.hpp"

#include <sstream>

namespace fastws::client {

namespace {

std::string later(const Failure& rejection, bool reconnects) {
  if (!reconnects) return "; it may open later";
  if (!rejection.retry_after) return "; reconnecting tries again after a delay";
  std::ostringstream text;
  text << "; it asks to wait " << *rejection.retry_after << " s, which reconnecting heeds";
  return text.str();
}

}  // namespace

std::string rejection_hint(const Failure& rejection, const net::Url& url, bool reconnects) {
  const int status = rejection.http_status;
  if (status == 0) {
    const bool advised = rejection.message.find_first_of(";?.") != std::string::npos;
    return advised ? "" : "; is it a WebSocket server?";
  }
  if (status == 401 || status == 403)
    return "; check its credentials: headers=, auth=, or a token in the URL";
  if (status < 300 || status == 404 || status == 405 || status == 410)
    return "; is " + url.resource.substr(0, url.resource.find('?')) + " the path of its WebSocket?";
  if (status == 408 || status == 425 || status == 429 || status >= 500) return later(rejection, reconnects);
  return "";
}

}  // namespace fastws::client
