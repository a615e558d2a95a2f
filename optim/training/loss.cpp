#include "optim/training/loss.hpp"

#include <algorithm>
#include <functional>

#include "core/ops/ops.hpp"

namespace espalier::training {

Loss class_loss(ClassLossOptions options) {
  require(0 <= options.smoothing && options.smoothing < 1, "class_loss",
          "wants a smoothing in [0, 1), got ", options.smoothing);
  for (const float w : options.class_weights)
    require(w > 0, "class_loss", "wants weights of classes > 0, got ", w);
  return [options = std::move(options)](const Variable& logits, const datasets::Batch& batch) {
    const auto& weights = options.class_weights;
    const std::int64_t classes = logits.shape()[-1];
    require(weights.empty() || std::ssize(weights) == classes, "class_loss", "has ", weights.size(),
            " weights of classes, the logits are of ", classes);
    const float rest = options.smoothing / static_cast<float>(classes);
    Tensor targets = Tensor::full(logits.shape(), rest);
    for (std::size_t n = 0; n < batch.labels.size(); ++n) {
      const auto label = static_cast<std::size_t>(batch.labels[n]);
      const auto row = targets.mutable_values().subspan(n * static_cast<std::size_t>(classes),
                                                        static_cast<std::size_t>(classes));
      require(label < row.size(), "class_loss", "label ", label, " is outside of the ", classes,
              " classes");
      row[label] += 1 - options.smoothing;
      if (!weights.empty())
        for (float& t : row) t *= weights[label];
    }
    return ops::soft_cross_entropy(logits, targets);
  };
}

Variable mean_squared_error(const Variable& outputs, const datasets::Batch& batch) {
  const auto n = std::ssize(batch.targets);
  require(n > 0 && outputs.shape() == Shape{n, 1}, "mean_squared_error", "wants outputs ",
          Shape{n, 1}, ", one a target, got ", outputs.shape());
  Tensor negative = Tensor::uninitialized({n, 1});
  std::ranges::transform(batch.targets, negative.mutable_data(), std::negate());
  const Variable difference = ops::add(outputs, Variable(negative));
  return ops::mean(ops::multiply(difference, difference));
}

std::vector<float> balanced_weights(const datasets::Dataset& data) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(data.classes()));
  for (std::int64_t i = 0; i < data.size(); ++i)
    ++counts[static_cast<std::size_t>(data.get(i).label)];
  std::vector<float> weights;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    require(counts[k] > 0, "balanced_weights", "class ", k, " has no image");
    weights.push_back(static_cast<float>(static_cast<double>(data.size()) /
                                         static_cast<double>(data.classes() * counts[k])));
  }
  return weights;
}

}  // namespace espalier::training
