// From nothing to a small file: rate-penalised training, descent on levels, live units alone.
#pragma once

#include <filesystem>
#include <memory>

#include "apps/smallest/recipe.hpp"
#include "core/base/bytes.hpp"
#include "datasets/dataset.hpp"

namespace espalier::apps {

// Training images, and those that settings are chosen on.
struct Images {
  std::shared_ptr<const datasets::Dataset> train, validation;
};
// The last `validation` images of `data` are set apart. Errors: kUsage when none would be left.
Images split(const std::shared_ptr<const datasets::Dataset>& data, std::int64_t validation);

struct Trained {
  Bytes file;                      // the .esp
  double validation_error = 0;     // as validation_error(): of the file's integers
  std::int64_t nonzeros = 0;       // weights
  std::int64_t trained_bytes = 0;  // before descent
  double trained_validation_error = 0;
  double training_minutes = 0, descent_minutes = 0;
};

struct TrainOptions {
  std::uint64_t seed = 1;
  std::string label;  // of the progress
  // What training gave, before descent, is kept here, and read from here when it is there; empty:
  // not kept.
  std::filesystem::path trained_file = {};
  bool quiet = false;
};

// teacher: of the recipe's options; null: the labels, or the numbers, alone. Numbers have no other.
Trained train_smallest(const Recipe& recipe, const Images& images, training::Distillation* teacher,
                       const TrainOptions& options);

// The share of the images whose largest logit is not their label's: integers, as the runtime plans them.
double error_of(const Bytes& file, const datasets::Dataset& images);

// What a search lowers. Of classes error_of(); of numbers 1 - R2, the share of their variance that the
// file leaves.
double validation_error(const Bytes& file, const datasets::Dataset& data);

}  // namespace espalier::apps
