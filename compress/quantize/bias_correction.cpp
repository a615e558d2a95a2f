#include "compress/quantize/bias_correction.hpp"

#include "layers/find_parameter.hpp"

namespace espalier::quantize {
namespace {

constexpr std::int64_t kBatch = 100;

// Sums over all but the last axis, which is the channels.
void add(std::vector<double>& sums, const Tensor& y) {
  const auto channels = static_cast<std::size_t>(y.shape()[-1]);
  sums.resize(channels);
  const auto values = y.values();
  for (std::size_t i = 0; i < values.size(); ++i) sums[i % channels] += double{values[i]};
}

}  // namespace

Means output_means(const Sequential& model, const datasets::Dataset& data, std::int64_t images,
                   const std::function<Variable(const Variable&)>& input) {
  Means means(model.layers().size());
  std::vector<double> counts(means.size());
  datasets::for_each_batch(data, images, kBatch, [&](const datasets::Batch& batch) {
    model.walk(input(Variable(batch.images)), {}, [&](std::size_t i, const Variable& y) {
      add(means[i], y.value());
      counts[i] += static_cast<double>(y.value().elements() / y.shape()[-1]);
    });
  });
  for (std::size_t i = 0; i < means.size(); ++i)
    for (double& sum : means[i]) sum /= counts[i];
  return means;
}

void correct_biases(const Sequential& model, const Means& floats, const datasets::Dataset& data,
                    std::int64_t images, const std::function<Variable(const Variable&)>& input) {
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    Parameter* bias = find_parameter(*model.layers()[i].layer, "bias");
    if (bias == nullptr) continue;
    const auto rounded = output_means(model, data, images, input)[i];
    const auto b = bias->latent().mutable_value().mutable_values();
    for (std::size_t c = 0; c < b.size(); ++c)
      b[c] -= static_cast<float>(rounded[c] - floats[i][c]);
  }
}

}  // namespace espalier::quantize
