#include "compress/prune/mask.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace espalier::prune {

Tensor magnitude_mask(const Tensor& weight, float sparsity) {
  require(0 <= sparsity && sparsity < 1, "magnitude_mask", "wants a sparsity in [0, 1), got ",
          sparsity);
  const auto w = weight.values();
  require(std::ranges::none_of(w, [](float v) { return std::isnan(v); }), ErrorKind::kDiverged,
          "magnitude_mask", "the weights hold a NaN; train with a smaller learning rate");
  const auto removed = std::llround(static_cast<double>(sparsity) * static_cast<double>(w.size()));
  std::vector<std::size_t> order(w.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto smaller = [&](std::size_t a, std::size_t b) {
    const float x = std::abs(w[a]), y = std::abs(w[b]);
    return x < y || (x == y && a > b);
  };
  std::nth_element(order.begin(), order.begin() + removed, order.end(), smaller);
  Tensor mask = Tensor::full(weight.shape(), 1);
  const auto m = mask.mutable_values();
  std::for_each(order.begin(), order.begin() + removed, [&](std::size_t i) { m[i] = 0; });
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
