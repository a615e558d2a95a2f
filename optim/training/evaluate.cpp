#include "optim/training/evaluate.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "core/ops/ops.hpp"

namespace espalier::training {

Evaluation evaluate(Layer& model, const datasets::Dataset& data, std::int64_t batch_size) {
  require(data.size() > 0 && batch_size >= 1, "evaluate",
          "wants images and a batch of at least one, got ", data.size(), " and ", batch_size);
  const NoGradient guard;
  Evaluation sum;
  std::vector<std::int64_t> indices(static_cast<std::size_t>(data.size()));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  for (std::size_t begin = 0; begin < indices.size();
       begin += static_cast<std::size_t>(batch_size)) {
    const auto count = std::min(static_cast<std::size_t>(batch_size), indices.size() - begin);
    const auto batch = datasets::collate(data, std::span(indices).subspan(begin, count));
    const Variable logits = model(Variable(batch.images));
    sum.loss += static_cast<double>(ops::cross_entropy(logits, batch.labels).value().item()) *
                static_cast<double>(count);
    sum.accuracy += static_cast<double>(count_correct(logits.value(), batch.labels));
  }
  const auto images = static_cast<double>(data.size());
  return {sum.loss / images, sum.accuracy / images};
}

double accuracy(Layer& model, const datasets::Dataset& data, std::int64_t batch_size) {
  return evaluate(model, data, batch_size).accuracy;
}

std::vector<int> predictions(const Tensor& logits) {
  require(logits.shape().rank() == 2 && logits.shape()[1] > 0, "predictions", "wants [N K], got ",
          logits.shape());
  const std::int64_t k = logits.shape()[1];
  std::vector<int> guesses;
  for (const float* row = logits.data(); row != logits.data() + logits.elements(); row += k)
    guesses.push_back(static_cast<int>(std::max_element(row, row + k) - row));
  return guesses;
}

std::int64_t count_correct(const Tensor& logits, const std::vector<int>& labels) {
  const auto guesses = predictions(logits);
  require(guesses.size() == labels.size(), "count_correct", "wants a label a row, got ",
          labels.size(), " for ", guesses.size());
  return std::transform_reduce(guesses.begin(), guesses.end(), labels.begin(), std::int64_t{0},
                               std::plus<>{}, [](int a, int b) { return std::int64_t{a == b}; });
}

}  // namespace espalier::training
