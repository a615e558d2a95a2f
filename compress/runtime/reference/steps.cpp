#include "compress/runtime/reference/steps.hpp"

#include "compress/format/wiring.hpp"
#include "compress/runtime/stages.hpp"
#include "core/kernels/elementwise.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::runtime::reference {

using format::LayerKind;

Activation begin(const format::PackedModel& model, const Tensor& images) {
  Tensor x = images.clone();
  for (float& v : x.mutable_values()) v = (v - model.input_mean) / model.input_deviation;
  return quantized({x, {}}, model.input);
}

Activation quantized(const Activation& x, const format::ActivationGrid& grid) {
  if (grid.is_float()) return x;
  Tensor levels = Tensor::uninitialized(x.values.shape(), DType::kUint8);
  for (std::size_t i = 0; i < x.values.values().size(); ++i)
    levels.mutable_values<std::uint8_t>()[i] = static_cast<std::uint8_t>(
        kernels::activation_level(x.values.values()[i], grid.scale, grid.zero_point));
  return {levels, grid};
}

Activation dequantized(const Activation& x) {
  if (x.grid.is_float()) return x;
  Tensor reals = Tensor::uninitialized(x.values.shape());
  for (std::size_t i = 0; i < reals.values().size(); ++i)
    reals.mutable_values()[i] =
        kernels::real_of(x.values.values<std::uint8_t>()[i], x.grid.scale, x.grid.zero_point);
  return {reals, {}};
}

namespace {

Activation compute(const format::PackedLayer& layer, const Activation& x, const Activation& other,
                   Sums sums) {
  const bool integer = format::takes_levels(layer, x.grid);
  switch (layer.kind) {
    case LayerKind::kConv2d:
    case LayerKind::kDense:
      return integer ? integer_linear(layer, x) : float_linear(layer, x, sums);
    case LayerKind::kMaxPool2d:
      return max_pool2d(layer, x);
    case LayerKind::kAveragePool2d:
      return average_pool2d(layer, x, sums);
    case LayerKind::kBatchNorm:
      return integer ? integer_batch_norm(layer, x) : float_batch_norm(layer, x);
    case LayerKind::kRelu:
      return relu(x);
    case LayerKind::kFlatten:
      return flatten(x);
    case LayerKind::kDepthwiseConv2d:
      return integer ? integer_depthwise(layer, x) : float_depthwise(layer, x, sums);
    case LayerKind::kResidual:
      return integer ? integer_residual(layer, x, other)
                     : float_residual(layer, x, dequantized(other));
  }
  fail(ErrorKind::kInternal, "run", "layer '", layer.name, "' is of no known kind");
}

}  // namespace

Activation run_layer(const format::PackedLayer& layer, const Activation& x, const Activation& other,
                     Sums sums) {
  const Activation y =
      compute(layer, format::takes_levels(layer, x.grid) ? x : dequantized(x), other, sums);
  return y.grid.is_float() ? quantized(y, layer.output) : y;
}

Activation run_layers(const format::PackedModel& model, const Tensor& images, const Seen& seen) {
  const auto sums = is_exact(model) ? Sums::kOrdered : Sums::kFast;
  const auto kept = format::kept_stages(model);
  std::vector<Activation> stages{begin(model, images)};
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const auto& layer = model.layers[i];
    const Activation& x = stages[format::input_stage(layer, i)];
    const bool adds = layer.kind == LayerKind::kResidual;
    Activation y =
        run_layer(layer, x, adds ? stages[format::other_stage(layer, i)] : Activation{}, sums);
    if (seen) seen(i, x, y);
    if (!kept[i]) stages[i] = {};
    stages.push_back(std::move(y));
  }
  return stages.back();
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
