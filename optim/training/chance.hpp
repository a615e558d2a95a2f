// Whether a model has learned anything.
#pragma once

#include "datasets/dataset.hpp"

namespace espalier::training {

// Of `accuracy` on these images, which tells classes apart: no better than the most frequent class as the
// answer to all, within half a standard error of that.
bool is_at_chance(double accuracy, const datasets::Dataset& images);

// The cross-entropy of the classes' shares as the answer to all: no constant answer has less.
double loss_of_chance(const datasets::Dataset& images);

// The mean squared error of the targets' mean as the answer to all: no constant answer has less.
double variance_of_targets(const datasets::Dataset& rows);

// The share of the images of the most frequent class.
double most_frequent_share(const datasets::Dataset& images);

}  // namespace espalier::training
