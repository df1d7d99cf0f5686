// A `disconnect` is due exactly when its `connect` was delivered; all else that is not `closed` dies with its life.
#include "delivery.hpp"

namespace fastws::policy {

bool Delivery::admit(Event::Kind kind, std::uint64_t event_life, std::uint64_t epoch, std::uint64_t life,
                     std::uint64_t present_epoch) noexcept {
  switch (kind) {
    case Event::Kind::connect:
      if (event_life != life) return false;
      connected_epoch_ = epoch;
      return true;
    case Event::Kind::disconnect:
      // Epochs begin at 1, so an epoch of 0 is never due.
      if (epoch == 0 || epoch != connected_epoch_) return false;
      connected_epoch_ = 0;
      return true;
    case Event::Kind::closed: return epoch >= present_epoch;
    case Event::Kind::connecting:
    case Event::Kind::reconnecting:
    case Event::Kind::error: return event_life == life;
  }
  return false;
}

}  // namespace fastws::policy
