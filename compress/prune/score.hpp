// How much a weight matters: the larger its score, the longer it stays.
#pragma once

#include "core/base/rng.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::prune {

enum class Criterion {
  kMagnitude,  // |w|
  kRandom,     // drawn once: what any better criterion must beat
};

// Of w's shape, >= 0. random: what kRandom drew. Errors: kDiverged for a NaN.
Tensor scores_of(const Tensor& weight, Criterion criterion, const Tensor& random);

// Uniform in [0, 1).
Tensor random_scores(const Shape& shape, Rng& rng);

}  // namespace espalier::prune
