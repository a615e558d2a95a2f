#include "compress/prune/mask.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compress/prune/score.hpp"

namespace espalier::prune {

Tensor mask_without(std::int64_t removed, const std::vector<float>& scores,
                    const Grouping& grouping, const Shape& shape) {
  const auto count = std::ssize(scores);
  require(0 <= removed && removed <= count, "mask_without", "wants to remove 0 to ", count,
          " groups, got ", removed);
  std::vector<char> goes(scores.size());
  if (removed > 0) {
    // Everything below the threshold goes; of the groups that equal it, the last ones go.
    auto sorted = scores;
    const auto last = sorted.begin() + (removed - 1);
    std::nth_element(sorted.begin(), last, sorted.end());
    const float threshold = *last;
    auto equal =
        removed - std::count_if(sorted.begin(), last, [&](float v) { return v < threshold; });
    for (std::size_t g = scores.size(); g-- > 0;)
      goes[g] = scores[g] < threshold || (scores[g] == threshold && equal-- > 0);
  }
  Tensor mask = Tensor::uninitialized(shape);
  std::ranges::transform(grouping.group, mask.mutable_values().begin(),
                         [&](std::uint32_t g) { return goes[g] ? 0.0f : 1.0f; });
  return mask;
}

Tensor mask_of_best(std::int64_t keep, const Tensor& scores, const Grouping& grouping) {
  const auto s = scores.values();
  std::vector<std::uint32_t> order(s.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) { return s[a] > s[b]; });
  std::vector<std::int64_t> kept(grouping.count);
  Tensor mask(scores.shape());
  for (const std::uint32_t i : order)
    if (kept[grouping.group[i]]++ < keep) mask.mutable_values()[i] = 1;
  return mask;
}

Tensor magnitude_mask(const Tensor& weight, float sparsity) {
  require(0 <= sparsity && sparsity < 1, "magnitude_mask", "wants a sparsity in [0, 1), got ",
          sparsity);
  const Tensor scores = scores_of(weight, Criterion::kMagnitude, {});
  const auto removed = std::llround(double{sparsity} * static_cast<double>(weight.elements()));
  const auto values = scores.values();
  return mask_without(removed, {values.begin(), values.end()},
                      groups_of(weight.shape(), Elements{}), weight.shape());
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
