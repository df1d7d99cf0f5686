// Who wants which messages: one side's wishes by route.
//
// May know: nothing of this project. Promises: a look-up makes no allocation.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace fastws::client {

class Wishes {
 public:
  Wishes() = default;
  Wishes(const std::vector<std::string>& routes, bool everything, bool binary)
      : routes_(routes), everything_(everything), binary_(binary) {
    if (routes.size() > few) many_ = std::make_shared<const Many>(routes);
  }

  /// Everything, binary included: a reader that names no route.
  static Wishes all() { return {{}, true, true}; }

  [[nodiscard]] bool any() const noexcept { return everything_ || binary_ || !routes_.empty(); }
  [[nodiscard]] bool everything() const noexcept { return everything_; }
  [[nodiscard]] bool binary() const noexcept { return binary_; }
  /// Text messages that carry no route are wanted only by who wants everything.
  [[nodiscard]] bool wants(bool has_route, std::string_view route) const {
    return everything_ || (has_route && names(route));
  }

 private:
  static constexpr std::size_t few = 8;  // routes that are compared one by one sooner than hashed

  [[nodiscard]] bool names(std::string_view route) const {
    if (many_ != nullptr) return many_->hashed.count(route) != 0;
    return std::find(routes_.begin(), routes_.end(), route) != routes_.end();
  }

  struct Many {
    explicit Many(const std::vector<std::string>& given)
        : routes(given), hashed(routes.begin(), routes.end()) {}
    Many(const Many&) = delete;
    Many& operator=(const Many&) = delete;

    const std::vector<std::string> routes;
    const std::unordered_set<std::string_view> hashed;  // what is asked for is no std::string
  };

  std::vector<std::string> routes_;
  std::shared_ptr<const Many> many_;  // the same, when they are more than a few
  bool everything_ = false;
  bool binary_ = false;
};

}  // namespace fastws::client
