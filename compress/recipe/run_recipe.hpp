// Trains a model as a recipe says.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "compress/quantize/integer_network.hpp"
#include "compress/recipe/recipe.hpp"
#include "core/base/bytes.hpp"
#include "core/base/warn.hpp"
#include "datasets/dataset.hpp"
#include "layers/sequential.hpp"
#include "optim/training/fit.hpp"

namespace espalier::recipe {

struct StageReport {
  std::size_t index = 0;                              // of the stage that has ended
  const Stage& stage;                                 // with the sparsities that sensitivity gave
  Sequential& model;                                  // baked
  const quantize::IntegerNetwork* network = nullptr;  // of quantize or rate so far; else null
};

struct RunOptions {
  std::uint64_t seed = 1;  // stage number i shuffles with seed + i
  int parts = 1;           // of each batch, in stages that do not want whole ones (batch_parts())
  bool quiet = false;      // no progress
  Warn warn = warn_on_standard_error;  // hears what passes have to say, quiet or not
  // An existing folder: each stage keeps its checkpoint there, by checkpoint_name(), and goes on from one
  // that it finds. Empty: none.
  std::filesystem::path checkpoints = {};
  // Without that folder: gets the files that would make it one, by name, of stages that ended and of one
  // that Ctrl-C stopped; null: none.
  std::map<std::string, Bytes>* last_states = nullptr;
  std::function<void(const StageReport&)> on_stage = nullptr;
  // After each epoch, before its checkpoint is written; the model has its passes attached.
  std::function<void(const StageReport&, const training::EpochReport&)> on_epoch = nullptr;
};

// "stage-0.checkpoint"
std::string checkpoint_name(std::size_t stage);

// Stage by stage: attaches the passes, trains, bakes. Zeros of a prune stage stay zero from then on,
// clusters stay no more than they were, and after each stage both are checked (promises.hpp).
// A stage without epochs takes one step of its passes without training, and calibrates quantize.
// float16 and dynamic_range do nothing here: packed() (packed.hpp) makes the file. Returns the
// integers when a stage settled them. Errors: check_order(), load_teacher(), those of
// fit() and of the passes; kDiverged, with the remedy, where a stage ends with a loss as of one answer to
// all, and answers at chance.
std::optional<quantize::IntegerNetwork> run_recipe(Sequential& model, const datasets::Dataset& data,
                                                   const Recipe& recipe,
                                                   const RunOptions& options = {});

}  // namespace espalier::recipe
