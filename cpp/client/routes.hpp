// Who wants which messages: one side's wishes by route.
//
// May know: nothing of this project. Promises: a look-up makes no allocation for routes that fit the caller's scratch.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace fastws::client {

class Wishes {
 public:
  Wishes() = default;
  Wishes(const std::vector<std::string>& routes, bool everything, bool binary)
      : routes_(routes.begin(), routes.end()), everything_(everything), binary_(binary) {}

  /// Everything, binary included: a reader that names no route.
  static Wishes all() { return {{}, true, true}; }

  [[nodiscard]] bool any() const noexcept { return everything_ || binary_ || !routes_.empty(); }
  [[nodiscard]] bool everything() const noexcept { return everything_; }
  [[nodiscard]] bool binary() const noexcept { return binary_; }
  /// Text messages that carry no route are wanted only by who wants everything.
  [[nodiscard]] bool wants(bool has_route, const std::string& route) const {
    return everything_ || (has_route && !routes_.empty() && routes_.count(route) != 0);
  }

 private:
  std::unordered_set<std::string> routes_;
  bool everything_ = false;
  bool binary_ = false;
};

}  // namespace fastws::client
