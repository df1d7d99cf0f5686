// Which queued events may still be delivered (reconnect-spec R2, P4, P13): after close() only the `disconnect` whose
// `connect` was delivered, and `closed`.
//
// May know: lifecycle's events. Promises: asked once per event, in order, at the moment of delivery.
#pragma once

#include <cstdint>

#include "lifecycle.hpp"

namespace fastws::policy {

class Delivery {
 public:
  /// True when the event may be delivered now. `life` and `present_epoch` are the client's, now; a `closed` of an older
  /// epoch than the present one is out of date, because the client was started again. Without `present_epoch` every
  /// `closed` is admitted.
  bool admit(Event::Kind kind, std::uint64_t event_life, std::uint64_t epoch, std::uint64_t life,
             std::uint64_t present_epoch = 0) noexcept;

 private:
  // The epoch whose `connect` was delivered and whose `disconnect` was not yet; 0 = none.
  std::uint64_t connected_epoch_ = 0;
};

}  // namespace fastws::policy
