// Which weights stay: 1 keeps, 0 removes.
#pragma once

#include "compress/prune/structure.hpp"
#include "core/tensor/tensor.hpp"

namespace espalier::prune {

// Removes the `removed` groups of lowest score. Of equal scores the later group goes first, so that
// the count is exact. scores: one a group. Errors: kUsage unless 0 <= removed <= groups.
Tensor mask_without(std::int64_t removed, const std::vector<float>& scores,
                    const Grouping& grouping, const Shape& shape);

// Of each group, `keep` weights of highest score stay; of equal ones the earlier.
Tensor mask_of_best(std::int64_t keep, const Tensor& scores, const Grouping& grouping);

// The mask that removes the round(sparsity * n) values of smallest magnitude; of equal magnitudes
// the later one goes first. sparsity in [0, 1). Errors: kUsage for another sparsity; kDiverged for
// a NaN.
Tensor magnitude_mask(const Tensor& weight, float sparsity);

// 1 where the value is not 0: what later stages keep ("zeros stay zero").
Tensor nonzero_mask(const Tensor& weight);

// Fraction of exact zeros; 0 for an empty tensor.
double sparsity_of(const Tensor& weight);

}  // namespace espalier::prune
