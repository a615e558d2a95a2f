// The experiments of TensorFlow Model Optimization's tutorials, each from the same trained network.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "datasets/dataset.hpp"
#include "layers/sequential.hpp"

namespace espalier::apps {

// What every experiment starts from.
struct Start {
  std::uint64_t seed = 1;
  std::shared_ptr<const datasets::Dataset> train;
  std::function<Sequential()> new_model;      // untrained
  std::function<Sequential()> trained_model;  // the baseline, a copy of its own
  bool quiet = false;
};

struct Outcome {
  format::PackedModel packed;
  std::size_t deflate_bytes = 0;  // of the float parameters, as the tutorials measure
};

struct Experiment {
  std::string name;        // "cluster 16"
  std::string theirs;      // what the toolkit's own tutorial reports
  double must_shrink = 0;  // the baseline's DEFLATE bytes by the file's; 0: nothing is asked
  bool deflate_to_deflate = false;          // must_shrink is of DEFLATE to DEFLATE
  double must_accuracy = 0, must_drop = 1;  // fractions: at least, or at most below the baseline
  std::function<Outcome(const Start&)> run;
};

const std::vector<Experiment>& experiments();

// Trains the small tutorial network from nothing: the baseline.
Sequential train_baseline(const Start& start, int epochs);

}  // namespace espalier::apps
