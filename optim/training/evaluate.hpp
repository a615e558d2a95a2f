// How good a model is on a set of images.
#pragma once

#include <vector>

#include "datasets/dataset.hpp"
#include "layers/layer.hpp"

namespace espalier::training {

struct Evaluation {
  double loss = 0;      // mean cross-entropy; of data with targets mean squared error
  double accuracy = 0;  // fraction of the images whose largest logit is their label's
  double r2 = 0;        // of data with targets: 1 - loss / the targets' variance; no accuracy then
};

// In evaluation mode, recording nothing. Errors: kUsage without images or with a batch below 1.
Evaluation evaluate(Layer& model, const datasets::Dataset& data, std::int64_t batch_size = 250);
double accuracy(Layer& model, const datasets::Dataset& data, std::int64_t batch_size = 250);

// The index of each row's largest value; of equal ones the first. logits: [N K].
std::vector<int> predictions(const Tensor& logits);
// How many rows' largest value stands at their label.
std::int64_t count_correct(const Tensor& logits, const std::vector<int>& labels);

}  // namespace espalier::training
