#include "compress/pack/pack.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "compress/format/validate.hpp"
#include "compress/format/wiring.hpp"
#include "core/base/bytes.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/depthwise_conv2d.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/residual.hpp"

namespace espalier::pack {
namespace {

using format::LayerKind;
using format::PackedLayer;

void set_window(PackedLayer& to, const kernels::Window& w) {
  to.kernel_h = w.kernel_h, to.kernel_w = w.kernel_w;
  to.stride_h = w.stride_h, to.stride_w = w.stride_w;
  to.pad_top = w.pad_top, to.pad_left = w.pad_left;
  to.pad_bottom = w.pad_bottom, to.pad_right = w.pad_right;
}

// Kind and window; shape of the weights of a linear layer. `input` is [H W C] or [F].
PackedLayer record_of(const std::string& name, const Layer& layer, const Shape& input) {
  PackedLayer to;
  to.name = name;
  const auto weight_shape = [&](const Parameter& p) {
    const auto sizes = p.latent().shape().sizes();
    to.weight.shape.assign(sizes.begin(), sizes.end());
  };
  if (const auto* conv = dynamic_cast<const Conv2d*>(&layer)) {
    to.kind = LayerKind::kConv2d;
    set_window(to, conv->window(input));
    weight_shape(conv->weight());
  } else if (const auto* depthwise = dynamic_cast<const DepthwiseConv2d*>(&layer)) {
    to.kind = LayerKind::kDepthwiseConv2d;
    set_window(to, depthwise->window(input));
    weight_shape(depthwise->weight());
  } else if (const auto* dense = dynamic_cast<const Dense*>(&layer)) {
    to.kind = LayerKind::kDense;
    weight_shape(dense->weight());
  } else if (const auto* max = dynamic_cast<const MaxPool2d*>(&layer)) {
    to.kind = LayerKind::kMaxPool2d;
    set_window(to, max->window(input));
  } else if (const auto* average = dynamic_cast<const AveragePool2d*>(&layer)) {
    to.kind = LayerKind::kAveragePool2d;
    set_window(to, average->window(input));
  } else if (dynamic_cast<const BatchNorm*>(&layer)) {
    to.kind = LayerKind::kBatchNorm;
  } else if (dynamic_cast<const Relu*>(&layer)) {
    to.kind = LayerKind::kRelu;
  } else if (dynamic_cast<const Residual*>(&layer)) {
    to.kind = LayerKind::kResidual;
  } else if (dynamic_cast<const Flatten*>(&layer)) {
    to.kind = LayerKind::kFlatten;
  } else {
    fail(ErrorKind::kUsage, "pack", "layer ", name, ", ", layer.describe(),
         ", has no record in .esp yet");
  }
  return to;
}

// -0 becomes 0: the format stores zeros as absent.
std::vector<float> without_negative_zero(std::span<const float> values) {
  std::vector<float> result;
  for (const float v : values) result.push_back(v + 0.0f);
  return result;
}

std::vector<float> one_if_equal(const std::vector<float>& scales) {
  const bool equal = std::ranges::all_of(scales, [&](float s) { return s == scales.front(); });
  return equal && !scales.empty() ? std::vector{scales.front()} : scales;
}

// The zeros at the low end that all bias levels share become the shift: coarse biases cost few
// bits.
void take_out_shift(PackedLayer& layer) {
  unsigned all = 0;
  for (const std::int32_t level : layer.bias_levels) all |= static_cast<unsigned>(level);
  if (all == 0) return;
  layer.bias_shift = std::countr_zero(all);
  for (std::int32_t& level : layer.bias_levels) level /= 1 << layer.bias_shift;
}

format::PackedModel begin(const Shape& input_shape) {
  require(input_shape.rank() == 3, "pack", "wants an input [H W C], got ", input_shape);
  format::PackedModel model;
  for (int axis = 0; axis < 3; ++axis)
    model.input_shape[static_cast<std::size_t>(axis)] = input_shape[axis];
  return model;
}

Bytes parameter_bytes(Sequential& model) {
  ByteWriter out;
  const NoGradient guard;
  model.visit({.parameter = [&](const std::string&, Parameter& p) {
    const Tensor value = p.effective().value();
    for (const float v : value.values()) out.f32(v + 0.0f);
  }});
  return out.release();
}

// Whether nobody else reads what layer i, a relu, takes: also through the dropouts before it.
bool fused_alone(const Sequential& model, std::size_t i) {
  std::size_t stage = model.input_stage(i);
  while (model.readers(stage).size() == 1) {
    if (stage == 0 || !dynamic_cast<const Dropout*>(model.layers()[stage - 1].layer.get()))
      return true;
    stage = model.input_stage(stage - 1);
  }
  return false;
}

}  // namespace

format::PackedModel pack(Sequential& model, const Shape& input_shape) {
  const NoGradient guard;
  format::PackedModel packed = begin(input_shape);
  const auto shapes = model.stage_shapes(input_shape);
  std::vector<std::size_t> place(shapes.size());  // of the model's stages among the packed ones
  for (std::size_t i = 0; i < model.layers().size(); ++i) {
    const auto& [name, layer] = model.layers()[i];
    const std::size_t input = place[model.input_stage(i)], here = packed.layers.size();
    place[i + 1] = input;
    if (dynamic_cast<const Dropout*>(layer.get())) continue;
    const bool fuses = input == here && here > 0 && format::moves(packed.layers.back().kind) &&
                       fused_alone(model, i);
    if (fuses && dynamic_cast<const Relu*>(layer.get())) {
      packed.layers.back().relu = true;
      continue;
    }
    place[i + 1] = here + 1;
    PackedLayer to = record_of(name, *layer, shapes[model.input_stage(i)]);
    to.from = static_cast<std::int64_t>(here + 1 - input);
    if (const auto other = model.other_stage(i))
      to.with = static_cast<std::int64_t>(here + 1 - place[*other]);
    if (const auto* norm = dynamic_cast<const BatchNorm*>(layer.get())) {
      const auto affine = norm->affine();
      to.multiplier = without_negative_zero(affine.scale);
      to.offset = without_negative_zero(affine.offset);
      packed.layers.push_back(std::move(to));
      continue;
    }
    layer->visit({.parameter = [&](const std::string& parameter, Parameter& p) {
      (parameter == "weight" ? to.weight.values : to.bias) =
          without_negative_zero(p.effective().value().values());
    }});
    packed.layers.push_back(std::move(to));
  }
  return packed;
}

format::PackedModel pack(const quantize::IntegerNetwork& network, const Shape& input_shape) {
  format::PackedModel packed = begin(input_shape);
  if (network.input) packed.input = {network.input->scale, network.input->zero_point};
  std::vector<Shape> shapes{input_shape};
  for (const auto& l : network.layers) {
    const Shape input = shapes[shapes.size() - l.from];
    PackedLayer to = record_of(l.name, *l.layer, input);
    to.from = static_cast<std::int64_t>(l.from), to.with = static_cast<std::int64_t>(l.with);
    shapes.push_back(l.layer->output_shape(input));
    if (l.output) to.output = {l.output->scale, l.output->zero_point};
    to.relu = l.relu;
    to.multiplier = without_negative_zero(l.multiplier);
    to.offset = without_negative_zero(l.offset);
    to.weight.values = without_negative_zero(l.values);
    to.bias = without_negative_zero(l.bias);
    if (!l.levels.empty()) {
      to.weight.bits = l.bits;
      to.weight.levels = l.levels;
      to.weight.scales = one_if_equal(l.scales);
      to.bias_levels = l.bias_levels;
      take_out_shift(to);
    }
    // A float sum of levels and floats that yields levels: the floats come first, or the file would
    // have it compute with integers.
    if (to.kind == LayerKind::kResidual && l.is_float && l.output) {
      const auto grids = format::stage_grids(packed);
      if (!grids[format::input_stage(to, packed.layers.size())].is_float())
        std::swap(to.from, to.with);
    }
    packed.layers.push_back(std::move(to));
  }
  return packed;
}

std::size_t raw_bytes(Sequential& model) {
  return parameter_bytes(model).size();
}

std::size_t deflate_bytes(Sequential& model) {
  const Bytes plain = parameter_bytes(model);
  uLongf size = compressBound(static_cast<uLong>(plain.size()));
  Bytes packed(size);
  require(
      compress2(packed.data(), &size, plain.data(), static_cast<uLong>(plain.size()), 9) == Z_OK,
      ErrorKind::kInternal, "deflate", "zlib failed");
  return size;
}

}  // namespace espalier::pack
