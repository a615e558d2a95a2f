#include "layers/batch_norm.hpp"

#include <cmath>

#include "core/ops/ops.hpp"
#include "layers/selected.hpp"

namespace espalier {
namespace {

void move_towards(Tensor& running, const Tensor& batch, float momentum) {
  const auto r = running.mutable_values();
  const auto b = batch.values();
  for (std::size_t i = 0; i < r.size(); ++i) r[i] = momentum * r[i] + (1 - momentum) * b[i];
}

}  // namespace

BatchNorm::BatchNorm(Options options)
    : options_(options),
      gamma_(Tensor::full({options.channels}, 1)),
      beta_(Tensor({options.channels})),
      mean_({options.channels}),
      variance_(Tensor::full({options.channels}, 1)) {
  require(options.channels >= 1, "BatchNorm", "wants channels >= 1, got ", options.channels);
  require(0 <= options.momentum && options.momentum < 1, "BatchNorm",
          "wants momentum in [0, 1), got ", options.momentum);
  require(options.epsilon > 0, "BatchNorm", "wants epsilon > 0, got ", options.epsilon);
}

Variable BatchNorm::forward(const Variable& x, const ForwardContext& context) {
  if (!context.training || frozen_)
    return ops::batch_norm_inference(x, gamma_.effective(), beta_.effective(), mean_, variance_,
                                     options_.epsilon);
  auto batch = ops::batch_norm(x, gamma_.effective(), beta_.effective(), options_.epsilon);
  move_towards(mean_, batch.mean, options_.momentum);
  move_towards(variance_, batch.variance, options_.momentum);
  return batch.y;
}

BatchNorm::Affine BatchNorm::affine() const {
  const NoGradient guard;
  const Tensor gamma = gamma_.effective().value(), beta = beta_.effective().value();
  Affine a;
  for (std::size_t c = 0; c < gamma.values().size(); ++c) {
    const float deviation = std::sqrt(variance_.values()[c] + options_.epsilon);
    a.scale.push_back(gamma.values()[c] / deviation);
    a.offset.push_back(beta.values()[c] - mean_.values()[c] * a.scale.back());
  }
  return a;
}

void BatchNorm::visit(const Visitor& visitor) {
  visitor("gamma", gamma_);
  visitor("beta", beta_);
  visitor("mean", mean_);
  visitor("variance", variance_);
}

Shape BatchNorm::output_shape(const Shape& input) const {
  require(input.rank() >= 1 && input[-1] == options_.channels, "BatchNorm", "wants ",
          options_.channels, " channels, got ", input);
  return input;
}

std::string BatchNorm::describe() const {
  std::ostringstream out;
  out << "BatchNorm(" << options_.channels << ')';
  return out.str();
}

void BatchNorm::keep(std::span<const std::int64_t> channels) {
  gamma_ = selected(gamma_, 0, channels);
  beta_ = selected(beta_, 0, channels);
  mean_ = selected(mean_, 0, channels);
  variance_ = selected(variance_, 0, channels);
  options_.channels = std::ssize(channels);
}

}  // namespace espalier
