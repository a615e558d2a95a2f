#include "compress/runtime/compare.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/base/error.hpp"

namespace espalier::runtime {

std::int64_t differing_logits(std::span<const float> got, std::span<const float> wanted,
                              std::int64_t classes, bool exact) {
  const auto k = static_cast<std::size_t>(classes);
  require(classes >= 1 && got.size() == wanted.size() && got.size() % k == 0, "differing_logits",
          "wants as many values on both sides, in rows of ", classes, ", got ", got.size(), " and ",
          wanted.size());
  std::int64_t count = 0;
  float tolerance = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (i % k == 0) {
      tolerance = 0;
      for (const float v : wanted.subspan(i, k))
        tolerance = std::max(tolerance, 1e-4f * std::abs(v));
    }
    const bool same =
        exact ? std::bit_cast<std::uint32_t>(got[i]) == std::bit_cast<std::uint32_t>(wanted[i])
              : std::abs(got[i] - wanted[i]) <= tolerance;
    count += !same;
  }
  return count;
}

}  // namespace espalier::runtime
