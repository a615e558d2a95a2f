#include "compress/prune/sparsity_schedule.hpp"

#include <cmath>

#include "core/base/error.hpp"

namespace espalier::prune {

SparsitySchedule constant_sparsity(float sparsity, float begin) {
  require(0 <= sparsity && sparsity < 1, "constant_sparsity", "wants a sparsity in [0, 1), got ",
          sparsity);
  require(0 <= begin && begin <= 1, "constant_sparsity", "wants begin in [0, 1], got ", begin);
  return [=](float progress) { return progress < begin ? 0.0f : sparsity; };
}

SparsitySchedule polynomial_sparsity(PolynomialOptions o) {
  require(0 <= o.initial && o.initial <= o.final && o.final < 1, "polynomial_sparsity",
          "wants 0 <= initial <= final < 1, got ", o.initial, " and ", o.final);
  require(0 <= o.begin && o.begin < o.end && o.end <= 1, "polynomial_sparsity",
          "wants 0 <= begin < end <= 1, got ", o.begin, " and ", o.end);
  require(o.power > 0, "polynomial_sparsity", "wants a power above 0, got ", o.power);
  return [=](float progress) {
    if (progress < o.begin) return 0.0f;
    if (progress >= o.end) return o.final;  // exact: no rounding at the end
    const float left = 1 - (progress - o.begin) / (o.end - o.begin);
    return o.final + (o.initial - o.final) * std::pow(left, o.power);
  };
}

}  // namespace espalier::prune
