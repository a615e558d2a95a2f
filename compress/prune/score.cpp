#include "compress/prune/score.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::prune {

Tensor scores_of(const Tensor& weight, Criterion criterion, const Tensor& random) {
  const auto w = weight.values();
  require(std::ranges::none_of(w, [](float v) { return std::isnan(v); }), ErrorKind::kDiverged,
          "pruning", "the weights hold a NaN; train with a smaller learning rate");
  if (criterion == Criterion::kRandom) return random;
  Tensor scores = Tensor::uninitialized(weight.shape());
  std::ranges::transform(w, scores.mutable_values().begin(), [](float v) { return std::abs(v); });
  return scores;
}

Tensor random_scores(const Shape& shape, Rng& rng) {
  Tensor scores = Tensor::uninitialized(shape);
  rng.fill_uniform(scores.mutable_values());
  return scores;
}

}  // namespace espalier::prune
