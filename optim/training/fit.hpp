// Training: the loop over epochs and batches on one screen (fit.cpp), and the accuracy of a model.
#pragma once

#include <string>
#include <vector>

#include "datasets/dataset.hpp"
#include "layers/layer.hpp"
#include "optim/schedule.hpp"
#include "optim/training/pass.hpp"

namespace espalier::training {

struct FitOptions {
  int epochs = 1;                // >= 1
  std::int64_t batch_size = 32;  // >= 1; the last batch of an epoch may be smaller
  float learning_rate = 1e-3f;   // Adam's, times the schedule
  optim::Schedule schedule = optim::constant();
  std::uint64_t seed = 1;       // of shuffling and dropout
  std::string label = "train";  // what the progress line says
  bool quiet = false;           // no progress
};

struct EpochReport {
  double loss = 0;      // mean cross-entropy over the epoch's images, as they were seen
  double accuracy = 0;  // fraction of them that was right when it was seen
  double seconds = 0;
};

// Trains with Adam on cross-entropy. Attaches the passes in their order, then binds the optimizer;
// leaves them attached: bake() is the caller's. Errors: kUsage for options out of range; kDiverged,
// naming epoch, batch and parameter, in the very step in which the loss or a gradient is no number.
std::vector<EpochReport> fit(Layer& model, const datasets::Dataset& data, const FitOptions& options,
                             const std::vector<Pass*>& passes = {});

// Fraction of the images whose largest logit is their label's.
double accuracy(Layer& model, const datasets::Dataset& data, std::int64_t batch_size = 250);

// The index of each row's largest value; of equal ones the first. logits: [N K].
std::vector<int> predictions(const Tensor& logits);

}  // namespace espalier::training
