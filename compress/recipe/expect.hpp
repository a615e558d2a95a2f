// What training as a recipe says will take, before it begins: of its steps the first few are taken, on
// a copy, and timed.
#pragma once

#include <filesystem>
#include <functional>

#include "compress/recipe/recipe.hpp"
#include "datasets/dataset.hpp"
#include "layers/sequential.hpp"

namespace espalier::recipe {

struct Expected {
  std::int64_t training_bytes = 0;  // of the stage that takes most, beside program and data
  double seconds = 0;               // of all stages' training, with every epoch that they may have
  bool may_end_early = false;       // a stage stops where its validation loss falls no more
};

// `model` makes the network as run_recipe() would get it, each time anew: nothing that the run computes
// depends on whether it was asked here. Steps are timed at the stage's own batch, with its passes but
// cluster, for about a quarter of a second a stage, past the first epoch where that is shorter; what a pass does
// now and then only, validation of longer epochs, clustering and tests are not in the time. Errors: as run_recipe().
//
// checkpoints: the folder of a run that goes on (RunOptions), of which what is left counts; empty: none.
// parts: as RunOptions.
Expected expect(const std::function<Sequential()>& model, const datasets::Dataset& data,
                const Recipe& recipe, const std::filesystem::path& checkpoints = {}, int parts = 1);

}  // namespace espalier::recipe
