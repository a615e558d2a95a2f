// What the toolbox's experiments and tables are made of: training, pruning, clustering, quantizing
// one network after the other, and what came of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "compress/cluster/weight_clustering.hpp"
#include "compress/format/packed_model.hpp"
#include "compress/prune/pruner.hpp"
#include "datasets/dataset.hpp"
#include "layers/sequential.hpp"
#include "optim/training/fit.hpp"

namespace espalier::apps {

// Of Adam, at their peaks. Those of the small network (apps/tutorial/recipe.cpp), chosen there on
// validation images.
struct Rates {
  float baseline = 1e-3f, pruning = 5e-3f, quantizing = 5e-4f;
};

// What all start from.
struct Start {
  std::uint64_t seed = 1;
  std::shared_ptr<const datasets::Dataset> train;
  std::function<Sequential()> new_model;      // untrained
  std::function<Sequential()> trained_model;  // the baseline, a copy of its own
  Rates rates = {};
  bool quiet = false;
};

struct Outcome {
  format::PackedModel packed;
  std::size_t deflate_bytes = 0;  // of the float parameters, as the tutorials measure
  std::optional<format::PackedModel> own_baseline = {};  // where it began from another than Start's
};

// With a rate that falls to 0, and seed + 1.
training::FitOptions fit_options(const Start& start, const char* label, int epochs, float rate);

struct BaselineOptions {
  int epochs = 4;
  std::int64_t batch_size = 32;
  optim::Schedule schedule = optim::constant();
};
// From nothing.
Sequential train_baseline(const Start& start, const BaselineOptions& options = {});

// The model as it is, in float.
Outcome floats(Sequential& model, const Start& start);

// From 50 % to `sparsity` in the first half of the training; tensors of fewer
// than 1000 weights stay whole (the small network's first convolution has 108).
prune::PrunerOptions pruning(float sparsity);
void prune(Sequential& model, const Start& start, const prune::PrunerOptions& options,
           int epochs = 4);

void cluster(Sequential& model, const Start& start,
             const cluster::WeightClustering::Options& options);

struct CalibrationOptions {
  bool per_channel = true;
  std::int64_t images = 1000;  // at most those there are
};
// Full integers, by what activations are seen on some images.
Outcome integers_after_training(Sequential& model, const Start& start,
                                const CalibrationOptions& options = {});

struct AwareOptions {
  int bits = 8, epochs = 2;
};
// Full integers, trained as such; zeros stay.
Outcome quantization_aware(Sequential& model, const Start& start, const AwareOptions& options = {});

}  // namespace espalier::apps
