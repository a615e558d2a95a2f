#include "compress/runtime/reference/steps.hpp"

#include "core/kernels/elementwise.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::runtime::reference {

using format::LayerKind;

Activation begin(const format::PackedModel& model, const Tensor& images) {
  Tensor x = images.clone();
  for (float& v : x.mutable_values()) v = (v - model.input_mean) / model.input_deviation;
  if (model.input.is_float()) return {x, model.input};
  Tensor levels = Tensor::uninitialized(x.shape(), DType::kUint8);
  for (std::size_t i = 0; i < x.values().size(); ++i)
    levels.mutable_values<std::uint8_t>()[i] = static_cast<std::uint8_t>(
        kernels::activation_level(x.values()[i], model.input.scale, model.input.zero_point));
  return {levels, model.input};
}

Activation run_layer(const format::PackedLayer& layer, const Activation& x) {
  switch (layer.kind) {
    case LayerKind::kConv2d:
    case LayerKind::kDense:
      return linear(layer, x);
    case LayerKind::kMaxPool2d:
      return max_pool2d(layer, x);
    case LayerKind::kAveragePool2d:
      return average_pool2d(layer, x);
    case LayerKind::kBatchNorm:
      return batch_norm(layer, x);
    case LayerKind::kRelu:
      return relu(x);
    case LayerKind::kFlatten:
      return flatten(x);
  }
  fail(ErrorKind::kInternal, "run", "layer '", layer.name, "' is of no known kind");
}

Activation relu(const Activation& x) {
  if (x.grid.is_float()) return {kernels::relu(x.values), {}};
  Activation y{x.values.clone(), x.grid};
  for (auto& level : y.values.mutable_values<std::uint8_t>())
    level = std::max(level, static_cast<std::uint8_t>(x.grid.zero_point));
  return y;
}

Activation flatten(const Activation& x) {
  const Shape s = x.values.shape();
  return {x.values.reshaped({s[0], 1, 1, s[1] * s[2] * s[3]}), x.grid};
}

}  // namespace espalier::runtime::reference
