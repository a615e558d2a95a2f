// One seed of one row: trained from nothing, packed, evaluated by the runtime in integers.
#pragma once

#include <filesystem>

#include "apps/records/rows.hpp"
#include "core/base/bytes.hpp"
#include "datasets/dataset.hpp"

namespace espalier::apps {

struct SeedResult {
  std::uint64_t seed = 1;
  std::int64_t bytes = 0;                       // of the .esp file
  double validation_error = 0, test_error = 0;  // fractions; test_error < 0: not looked at
  std::int64_t nonzeros = 0;                    // weights
  std::int64_t trained_bytes = 0;               // before descent
  double trained_validation_error = 0;
  double minutes = 0;
};

struct Trained {
  Bytes file;
  SeedResult result;
};

// Training images: all but the last 5,000 of `data.train`, which are the validation images. Only
// `result.test_error` is left open. What training gave is kept in `trained_file`, and taken from
// there when it is (descent alone is tried again); the teacher likewise in `teacher_file`.
Trained train_seed(const Row& row, std::uint64_t seed, const datasets::TrainTest& data,
                   const std::filesystem::path& trained_file,
                   const std::filesystem::path& teacher_file);

// The share of the images whose largest logit is not their label's: oneDNN executor, integers.
double error_of(const Bytes& file, const datasets::Dataset& images);

}  // namespace espalier::apps
