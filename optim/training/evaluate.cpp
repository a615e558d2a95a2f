#include "optim/training/evaluate.hpp"

#include <algorithm>

#include "core/kernels/precision.hpp"
#include "core/ops/ops.hpp"
#include "core/tensor/argmax.hpp"
#include "optim/training/loss.hpp"

namespace espalier::training {

Evaluation evaluate(Layer& model, const datasets::Dataset& data, std::int64_t batch_size) {
  require(data.size() > 0 && batch_size >= 1, "evaluate",
          "wants images and a batch of at least one, got ", data.size(), " and ", batch_size);
  const NoGradient guard;
  const kernels::PrecisionInScope exact(kernels::Precision::kFloat32);  // as the runtime computes
  Evaluation sum;
  double total = 0, squares = 0;  // of the targets
  datasets::for_each_batch(data, data.size(), batch_size, [&](const datasets::Batch& batch) {
    const Variable logits = model(Variable(batch.images));
    if (data.has_targets()) {
      sum.loss += static_cast<double>(mean_squared_error(logits, batch).value().item()) *
                  static_cast<double>(batch.targets.size());
      for (const float t : batch.targets) total += double{t}, squares += double{t} * double{t};
      return;
    }
    sum.loss += static_cast<double>(ops::cross_entropy(logits, batch.labels).value().item()) *
                static_cast<double>(batch.labels.size());
    sum.accuracy += static_cast<double>(count_correct(logits.value(), batch.labels));
  });
  const auto images = static_cast<double>(data.size());
  const double loss = sum.loss / images;
  if (!data.has_targets()) return {loss, sum.accuracy / images, 0};
  const double variance = squares / images - total / images * (total / images);
  return {loss, 0, variance > 0 ? 1 - loss / variance : 0};
}

double accuracy(Layer& model, const datasets::Dataset& data, std::int64_t batch_size) {
  return evaluate(model, data, batch_size).accuracy;
}

std::vector<int> predictions(const Tensor& logits) {
  require(logits.shape().rank() == 2 && logits.shape()[1] > 0, "predictions", "wants [N K], got ",
          logits.shape());
  return argmax_rows(logits.values(), logits.shape()[1]);
}

std::int64_t count_correct(const Tensor& logits, const std::vector<int>& labels) {
  const Shape& shape = logits.shape();
  require(shape.rank() == 2 && shape[1] > 0 && shape[0] == std::ssize(labels), "count_correct",
          "wants logits [N K] and N labels, got ", shape, " and ", labels.size());
  std::int64_t correct = 0;
  const float* row = logits.data();
  for (const int label : labels) {
    correct += std::max_element(row, row + shape[1]) - row == label;  // as predictions()
    row += shape[1];
  }
  return correct;
}

}  // namespace espalier::training
