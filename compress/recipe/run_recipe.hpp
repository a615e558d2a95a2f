// Trains a model as a recipe says.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "compress/quantize/integer_network.hpp"
#include "compress/recipe/recipe.hpp"
#include "datasets/dataset.hpp"
#include "layers/sequential.hpp"

namespace espalier::recipe {

struct StageReport {
  std::size_t index = 0;                              // of the stage that has ended
  const Stage& stage;                                 // with the sparsities that sensitivity gave
  Sequential& model;                                  // baked
  const quantize::IntegerNetwork* network = nullptr;  // of quantize or rate so far; else null
};

struct RunOptions {
  std::uint64_t seed = 1;  // stage number i shuffles with seed + i
  bool quiet = false;
  // An existing folder: stage number i keeps its checkpoint there as stage-i.checkpoint, and goes
  // on from one that it finds. Empty: none.
  std::filesystem::path checkpoints = {};
  std::function<void(const StageReport&)> on_stage = nullptr;
};

// Stage by stage: attaches the passes, trains, bakes. Zeros of a prune stage stay zero from then on,
// clusters stay no more than they were, and after each stage both are checked (promises.hpp).
// A stage without epochs takes one step of its passes without training, and calibrates quantize.
// float16 and dynamic_range do nothing here: packed() (packed.hpp) makes the file. Returns the
// integers when a stage settled them. Errors: check_order(), load_teacher(), those of
// fit() and of the passes.
std::optional<quantize::IntegerNetwork> run_recipe(Sequential& model, const datasets::Dataset& data,
                                                   const Recipe& recipe,
                                                   const RunOptions& options = {});

}  // namespace espalier::recipe
