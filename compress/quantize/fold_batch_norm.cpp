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
  for (std::size_t i = 0; i < model.layers().size();) {
    const auto& [name, layer] = model.layers()[i];
    auto* norm = dynamic_cast<BatchNorm*>(layer.get());
    if (norm) norm->freeze_statistics();
    Layer* before =
        i > 0 && model.feeds_next_alone(i - 1) ? model.layers()[i - 1].layer.get() : nullptr;
    if (norm && before && is_linear(*before)) {
      fold(norm->affine(), *before);
      model.remove(std::string(name));  // another one behind it is folded into the same layer
    } else {
      ++i;
    }
  }
}

}  // namespace espalier::quantize
