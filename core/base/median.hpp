// The value in the middle.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/base/error.hpp"

namespace espalier {

// Of an even number of values the lower of the two in the middle, which one of them had. Errors:
// kUsage without values.
template <class T>
T median(std::vector<T> values) {
  require(!values.empty(), "median", "wants at least one value");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace espalier
