#include "compress/quantize/fold_batch_norm.hpp"

#include "layers/batch_norm.hpp"
#include "layers/kind.hpp"

namespace espalier::quantize {
namespace {

// Row c of the weights, [OUT ...], and b[c] take the affine map of channel c.
void fold(const BatchNorm::Affine& affine, Layer& linear) {
  linear.visit({.parameter = [&](const std::string& name, Parameter& p) {
    const auto values = p.latent().mutable_value().mutable_values();
    const std::size_t stride = values.size() / affine.scale.size();
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] *= affine.scale[i / stride];
      if (name == "bias") values[i] += affine.offset[i];
    }
  }});
}

}  // namespace

void fold_batch_norm(Sequential& model) {
  std::vector<std::string> folded;
  Layer* before = nullptr;
  for (const auto& [name, layer] : model.layers()) {
    auto* norm = dynamic_cast<BatchNorm*>(layer.get());
    const bool linear = before != nullptr && is_linear(*before);
    if (norm) norm->freeze_statistics();
    if (norm && linear) {
      fold(norm->affine(), *before);
      folded.push_back(name);
      continue;  // another batch norm behind it is folded into the same layer
    }
    before = layer.get();
  }
  for (const auto& name : folded) model.remove(name);
}

}  // namespace espalier::quantize
