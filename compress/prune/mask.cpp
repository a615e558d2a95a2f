#include "compress/prune/mask.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::prune {

Tensor magnitude_mask(const Tensor& weight, float sparsity) {
  require(0 <= sparsity && sparsity < 1, "magnitude_mask", "wants a sparsity in [0, 1), got ",
          sparsity);
  const auto w = weight.values();
  require(std::ranges::none_of(w, [](float v) { return std::isnan(v); }), ErrorKind::kDiverged,
          "magnitude_mask", "the weights hold a NaN; train with a smaller learning rate");
  const auto removed = std::llround(static_cast<double>(sparsity) * static_cast<double>(w.size()));
  Tensor mask = Tensor::full(weight.shape(), 1);
  if (removed == 0) return mask;
  // Everything below the threshold goes; of the weights that equal it, the last ones go.
  Tensor magnitude = Tensor::uninitialized(weight.shape());
  const auto sorted = magnitude.mutable_values();
  std::ranges::transform(w, sorted.begin(), [](float v) { return std::abs(v); });
  const auto last = sorted.begin() + (removed - 1);
  std::nth_element(sorted.begin(), last, sorted.end());
  const float threshold = *last;
  auto equal =
      removed - std::count_if(sorted.begin(), last, [&](float v) { return v < threshold; });
  const auto m = mask.mutable_values();
  for (std::size_t i = w.size(); i-- > 0;) {
    const float size = std::abs(w[i]);
    if (size < threshold || (size == threshold && equal-- > 0)) m[i] = 0;
  }
  return mask;
}

Tensor nonzero_mask(const Tensor& weight) {
  Tensor mask(weight.shape());
  std::ranges::transform(weight.values(), mask.mutable_values().begin(),
                         [](float v) { return v != 0 ? 1.0f : 0.0f; });
  return mask;
}

double sparsity_of(const Tensor& weight) {
  if (weight.elements() == 0) return 0;
  return static_cast<double>(std::ranges::count(weight.values(), 0.0f)) /
         static_cast<double>(weight.elements());
}

}  // namespace espalier::prune
