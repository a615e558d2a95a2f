#include "optim/training/fit.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "core/base/progress.hpp"
#include "core/base/text.hpp"
#include "core/ops/ops.hpp"
#include "datasets/subset.hpp"
#include "optim/optimizer.hpp"

namespace espalier::training {
namespace {

std::vector<Variable> latents(Layer& model) {
  std::vector<Variable> all;
  model.visit({.parameter = [&](const std::string&, Parameter& p) { all.push_back(p.latent()); }});
  return all;
}

bool finite(const Tensor& t) {
  return std::ranges::all_of(t.values(), [](float v) { return std::isfinite(v); });
}

// The first parameter whose value or gradient is no number; "" if there is none.
std::string diverged_parameter(Layer& model) {
  std::string found;
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    const Tensor& gradient = p.latent().gradient();
    if (found.empty() && (!finite(p.latent().value()) || (gradient.defined() && !finite(gradient))))
      found = name;
  }});
  return found;
}

std::int64_t correct(const Tensor& logits, const std::vector<int>& labels) {
  const auto guesses = predictions(logits);
  return std::transform_reduce(guesses.begin(), guesses.end(), labels.begin(), std::int64_t{0},
                               std::plus<>{}, [](int a, int b) { return std::int64_t{a == b}; });
}

}  // namespace

std::vector<EpochReport> fit(Layer& model, const datasets::Dataset& data, const FitOptions& options,
                             const std::vector<Pass*>& passes) {
  require(options.epochs >= 1 && options.batch_size >= 1, "fit",
          "wants at least one epoch and one image a batch, got ", options.epochs, " and ",
          options.batch_size);
  require(data.size() > 0, "fit", "the data set is empty");
  for (Pass* pass : passes) pass->attach(model);
  optim::Adam optimizer(latents(model), {.learning_rate = options.learning_rate});
  Rng shuffle(options.seed, "shuffle"), dropout(options.seed, "dropout");
  const std::int64_t batches = (data.size() + options.batch_size - 1) / options.batch_size;
  StepInfo info{.step = 0, .total_steps = batches * options.epochs};
  Progress progress(options.label, info.total_steps * options.batch_size, "images", options.quiet);

  std::vector<EpochReport> reports;
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    const auto start = std::chrono::steady_clock::now();
    const auto order = datasets::permutation(data.size(), shuffle);
    EpochReport report;
    for (std::int64_t b = 0; b < batches; ++b, ++info.step) {
      const auto begin = static_cast<std::size_t>(b * options.batch_size);
      const auto count =
          std::min(static_cast<std::size_t>(options.batch_size), order.size() - begin);
      const auto batch = datasets::collate(data, std::span(order).subspan(begin, count));

      for (Pass* pass : passes) pass->step(info);
      const Variable logits = model(Variable(batch.images), {.training = true, .rng = &dropout});
      const Variable loss = ops::cross_entropy(logits, batch.labels);
      optimizer.clear_gradients();
      backward(loss);
      if (!std::isfinite(loss.value().item()) ||
          !optimizer.step(options.schedule(info.progress()))) {
        const std::string bad = diverged_parameter(model);
        fail(ErrorKind::kDiverged, "fit", "epoch ", epoch, ", batch ", b + 1, ": the loss is ",
             loss.value().item(), bad.empty() ? "" : " and " + bad + " is no number any more",
             "; lower the learning rate of ", options.learning_rate);
      }

      report.loss += static_cast<double>(loss.value().item()) * static_cast<double>(count);
      report.accuracy += static_cast<double>(correct(logits.value(), batch.labels));
      progress.update(info.step * options.batch_size, "loss " + fixed(loss.value().item(), 3));
    }
    const auto images = static_cast<double>(data.size());
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    reports.push_back({report.loss / images, report.accuracy / images, seconds.count()});
  }
  return reports;
}

double accuracy(Layer& model, const datasets::Dataset& data, std::int64_t batch_size) {
  require(data.size() > 0 && batch_size >= 1, "accuracy",
          "wants images and a batch of at least one");
  const NoGradient guard;
  std::int64_t right = 0;
  std::vector<std::int64_t> indices(static_cast<std::size_t>(data.size()));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  for (std::size_t begin = 0; begin < indices.size();
       begin += static_cast<std::size_t>(batch_size)) {
    const auto count = std::min(static_cast<std::size_t>(batch_size), indices.size() - begin);
    const auto batch = datasets::collate(data, std::span(indices).subspan(begin, count));
    right += correct(model(Variable(batch.images)).value(), batch.labels);
  }
  return static_cast<double>(right) / static_cast<double>(data.size());
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

}  // namespace espalier::training
