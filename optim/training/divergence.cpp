#include "optim/training/divergence.hpp"

#include <algorithm>
#include <cmath>

#include "layers/sequential.hpp"

namespace espalier::training {
namespace {

bool finite(const Tensor& t) {
  return std::ranges::all_of(t.values(), [](float v) { return std::isfinite(v); });
}

// x becomes the layer's output. False when that is not finite, or when an observer or quantizer on
// the layer met the value first and refused it.
bool runs_finite(Layer& layer, Variable& x, const ForwardContext& context) {
  try {
    x = layer(x, context);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kDiverged) return false;
    throw;
  }
  return finite(x.value());
}

std::string first_output(Layer& model, const Tensor& images, Rng& rng) {
  const NoGradient guard;
  const ForwardContext context{.training = true, .rng = &rng};
  Variable x(images);
  const auto* sequential = dynamic_cast<Sequential*>(&model);
  if (!sequential) return runs_finite(model, x, context) ? "" : "the logits";
  for (const auto& [name, layer] : sequential->layers())
    if (!runs_finite(*layer, x, context)) return "the output of layer " + name;
  return "";
}

}  // namespace

std::string origin_of_divergence(Layer& model, const Tensor& images, Rng rng) {
  if (!finite(images)) return "the batch's images";
  std::string parameter, gradient;
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (parameter.empty() && !finite(p.latent().value())) parameter = name;
    const Tensor& g = p.latent().gradient();
    if (g.defined() && !finite(g)) gradient = name;
  }});
  if (!parameter.empty()) return parameter;
  const std::string output = first_output(model, images, rng);
  if (!output.empty()) return output;
  return gradient.empty() ? "the loss" : "the gradient of " + gradient;
}

}  // namespace espalier::training
