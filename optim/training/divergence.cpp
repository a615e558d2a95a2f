#include "optim/training/divergence.hpp"

#include <algorithm>
#include <cmath>

#include "layers/sequential.hpp"

namespace espalier::training {
namespace {

bool finite(const Tensor& t) {
  return std::ranges::all_of(t.values(), [](float v) { return std::isfinite(v); });
}

std::string first_output(Layer& model, const Tensor& images, Rng& rng) {
  const NoGradient guard;
  const ForwardContext context{.training = true, .rng = &rng};
  const auto* sequential = dynamic_cast<Sequential*>(&model);
  std::size_t finite_layers = 0;
  const auto look = [&](std::size_t, const Variable& y) {
    require(finite(y.value()), ErrorKind::kDiverged, "output", "is not finite");
    ++finite_layers;
  };
  try {
    if (sequential)
      sequential->walk(Variable(images), context, look);
    else
      look(0, model(Variable(images), context));
  } catch (const Error& error) {  // from here, or of an observer or quantizer that met it first
    if (error.kind() != ErrorKind::kDiverged) throw;
    return sequential ? "the output of layer " + sequential->layers()[finite_layers].name
                      : "the logits";
  }
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
