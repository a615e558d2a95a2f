// How one stage is trained: its data, and what fit() is told.
#pragma once

#include <memory>

#include "compress/recipe/recipe.hpp"
#include "datasets/dataset.hpp"
#include "optim/training/fit.hpp"

namespace espalier::recipe {

struct StageTraining {
  std::shared_ptr<const datasets::Dataset> data;        // of all what the stage trains on
  std::shared_ptr<const datasets::Dataset> validation;  // what it watches; null: nothing
  training::FitOptions fit;                             // borrows both
};

// Of stage number `index`, which has epochs, in a run of this seed. Borrows `all`. Errors: kUsage for a
// validation part of nothing, and as loss_of().
StageTraining training_of(const Stage& stage, const datasets::Dataset& all, std::size_t index,
                          std::uint64_t seed);

// Parts of each batch (FitOptions::parts) where so many are wanted: 1 in stages that want whole batches,
// those of quantize, rate, cluster and a teacher.
int batch_parts(const Stage& stage, int wanted);

// With pruning's steps, where the recipe leaves them to the run's length, for so many training images.
Stage with_steps(Stage stage, std::int64_t images);

}  // namespace espalier::recipe
