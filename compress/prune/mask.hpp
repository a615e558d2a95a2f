// Which weights stay: 1 keeps, 0 removes.
#pragma once

#include "core/tensor/tensor.hpp"

namespace espalier::prune {

// The mask that removes the round(sparsity * n) values of smallest magnitude. Of equal magnitudes
// the later one goes first, so that the count is exact. sparsity in [0, 1). Errors: kUsage for another
// sparsity; kDiverged for a NaN.
Tensor magnitude_mask(const Tensor& weight, float sparsity);

// 1 where the value is not 0: what later stages keep ("zeros stay zero").
Tensor nonzero_mask(const Tensor& weight);

// Fraction of exact zeros; 0 for an empty tensor.
double sparsity_of(const Tensor& weight);

}  // namespace espalier::prune
