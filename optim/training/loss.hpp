// Losses of classifiers, and of networks that predict numbers, for training::FitOptions::loss.
#pragma once

#include <functional>
#include <vector>

#include "core/autograd/variable.hpp"
#include "datasets/dataset.hpp"

namespace espalier::training {

using Loss = std::function<Variable(const Variable& logits, const datasets::Batch& batch)>;

struct ClassLossOptions {
  // The label's target is 1 - smoothing * (K - 1) / K, every other class's smoothing / K (Szegedy et
  // al. 2016, section 7). In [0, 1).
  float smoothing = 0;
  // What an image of each class counts, > 0; empty: 1 each.
  std::vector<float> class_weights = {};
};
// Mean over the batch of weight[label] * -sum over k of target[k] log softmax(logits)[k]. Errors:
// kUsage for options out of range; on use, for weights that are not one a class.
Loss class_loss(ClassLossOptions options);

// Mean over the batch of (output - target)^2, outputs [N 1]; of data with targets. Errors: kUsage for
// other outputs, and a batch without targets.
Variable mean_squared_error(const Variable& outputs, const datasets::Batch& batch);

// Weights that give each class the same say: N / (K * images of the class), as scikit-learn's
// "balanced". Reads every example. Errors: kUsage for a class without images.
std::vector<float> balanced_weights(const datasets::Dataset& data);

}  // namespace espalier::training
