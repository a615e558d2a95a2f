#include "optim/optimizer.hpp"

#include <cmath>

namespace espalier::optim {
namespace {

std::vector<Tensor> zeros_like(const std::vector<Variable>& parameters) {
  std::vector<Tensor> zeros;
  for (const auto& p : parameters) zeros.emplace_back(p.shape());
  return zeros;
}

void check_learning_rate(const char* name, float rate) {
  require(rate > 0 && std::isfinite(rate), name, "wants a learning rate above 0, got ", rate);
}

}  // namespace

Optimizer::Optimizer(std::vector<Variable> parameters) : parameters_(std::move(parameters)) {
  for (const auto& p : parameters_)
    require(p.needs_gradient(), "Optimizer", "a parameter of shape ", p.shape(),
            " wants no gradient");
}

void Optimizer::clear_gradients() {
  for (auto& p : parameters_) p.clear_gradient();
}

Sgd::Sgd(std::vector<Variable> parameters, Options options)
    : Optimizer(std::move(parameters)), options_(options), velocity_(zeros_like(parameters_)) {
  check_learning_rate("Sgd", options.learning_rate);
  require(0 <= options.momentum && options.momentum < 1 && options.weight_decay >= 0, "Sgd",
          "wants momentum in [0, 1) and weight decay from 0, got ", options.momentum, " and ",
          options.weight_decay);
}

void Sgd::step(float rate) {
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    if (!parameters_[k].gradient().defined()) continue;
    const auto w = parameters_[k].mutable_value().mutable_values();
    const auto v = velocity_[k].mutable_values();
    const auto g = parameters_[k].gradient().values();
    for (std::size_t i = 0; i < w.size(); ++i) {
      v[i] = options_.momentum * v[i] + g[i] + options_.weight_decay * w[i];
      w[i] -= rate * options_.learning_rate * v[i];
    }
  }
}

Adam::Adam(std::vector<Variable> parameters, Options options)
    : Optimizer(std::move(parameters)),
      options_(options),
      mean_(zeros_like(parameters_)),
      square_(zeros_like(parameters_)) {
  check_learning_rate("Adam", options.learning_rate);
  require(0 <= options.beta1 && options.beta1 < 1 && 0 <= options.beta2 && options.beta2 < 1 &&
              options.epsilon > 0,
          "Adam", "wants beta1 and beta2 in [0, 1) and epsilon above 0, got ", options.beta1, ", ",
          options.beta2, " and ", options.epsilon);
}

void Adam::step(float rate) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  const auto correct1 = static_cast<float>(1 - std::pow(double{options_.beta1}, t));
  const auto correct2 = static_cast<float>(1 - std::pow(double{options_.beta2}, t));
  for (std::size_t k = 0; k < parameters_.size(); ++k) {
    if (!parameters_[k].gradient().defined()) continue;
    const auto w = parameters_[k].mutable_value().mutable_values();
    const auto m = mean_[k].mutable_values(), v = square_[k].mutable_values();
    const auto g = parameters_[k].gradient().values();
    for (std::size_t i = 0; i < w.size(); ++i) {
      m[i] = options_.beta1 * m[i] + (1 - options_.beta1) * g[i];
      v[i] = options_.beta2 * v[i] + (1 - options_.beta2) * g[i] * g[i];
      w[i] -= rate * options_.learning_rate * (m[i] / correct1) /
              (std::sqrt(v[i] / correct2) + options_.epsilon);
    }
  }
}

}  // namespace espalier::optim
