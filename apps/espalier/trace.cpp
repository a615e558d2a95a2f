#include "apps/espalier/trace.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "compress/format/validate.hpp"
#include "compress/format/wiring.hpp"
#include "compress/runtime/reference/steps.hpp"
#include "compress/runtime/stages.hpp"
#include "core/base/text.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::apps {
namespace {

using format::PackedLayer;
using runtime::reference::Activation;

// By name or number; of no name the first that computes with integers, if any does.
std::size_t find_layer(const format::PackedModel& model, const std::vector<runtime::Stage>& stages,
                       const std::string& wanted) {
  std::vector<std::string> names;
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const auto& layer = model.layers[i];
    if (!format::has_weight(layer.kind)) continue;
    if (wanted == layer.name || wanted == std::to_string(i + 1)) return i;
    if (wanted.empty() && format::takes_levels(layer, stages[format::input_stage(layer, i)].grid))
      return i;
    first = first.value_or(i);
    names.push_back(layer.name.empty() ? std::to_string(i + 1) : layer.name);
  }
  if (wanted.empty() && first) return *first;
  const std::string near = nearest(wanted, names);
  fail(ErrorKind::kUsage, "trace", "no layer with weights is called '", wanted, "'",
       near.empty() ? "" : "; did you mean '" + near + "'?", "; there are: ", join(names, ", "));
}

// The index of the largest of the layer's outputs, of one channel if `unit` is given.
std::int64_t most_active(const Tensor& y, std::optional<std::int64_t> unit) {
  const std::int64_t channels = y.shape()[-1];
  const auto value = [&](std::int64_t i) {
    return y.dtype() == DType::kUint8 ? static_cast<float>(y.data<std::uint8_t>()[i]) : y.data()[i];
  };
  std::int64_t best = unit.value_or(0);
  for (std::int64_t i = best; i < y.elements(); i += unit ? channels : 1)
    if (value(i) > value(best)) best = i;
  return best;
}

// The products of one output, and their sum.
void multiply(Trace& t, const PackedLayer& l, const Tensor& x) {
  const bool conv = t.convolution;
  const std::int64_t in_h = conv ? x.shape()[1] : 1, in_w = conv ? x.shape()[2] : 1;
  const std::int64_t channels = x.shape()[-1];
  const bool depthwise = l.kind == format::LayerKind::kDepthwiseConv2d;
  const std::int64_t first = depthwise ? t.unit : 0, end = depthwise ? t.unit + 1 : channels;
  for (std::int64_t i = 0; i < l.kernel_h; ++i)
    for (std::int64_t j = 0; j < l.kernel_w; ++j)
      for (std::int64_t c = first; c < end; ++c) {
        const std::int64_t h = t.y * l.stride_h - l.pad_top + i,
                           w = t.x * l.stride_w - l.pad_left + j;
        if (h < 0 || h >= in_h || w < 0 || w >= in_w) continue;  // padding stands for real 0
        const std::int64_t at =
            ((t.unit * l.kernel_h + i) * l.kernel_w + j) * (end - first) + c - first;
        const TraceProduct p{h, w, c, x.data<std::uint8_t>()[(h * in_w + w) * channels + c],
                             l.weight.levels[static_cast<std::size_t>(at)]};
        ++t.taps;
        const std::int32_t product = (p.level - t.input.zero_point) * p.weight;
        t.sum += product;
        if (product != 0) t.products.push_back(p);
      }
}

// From the accumulator to the output's level, or to the real number.
void scale(Trace& t) {
  t.accumulator = t.sum + t.bias;
  if (t.real_output) {
    t.multiplier = t.input.scale * t.weight_scale;
    t.real = static_cast<float>(t.accumulator) * t.multiplier;
    if (t.relu) t.real = std::max(t.real, 0.0f);
    return;
  }
  t.multiplier = kernels::requantize_multiplier(t.input.scale, t.weight_scale, t.output.scale);
  t.scaled = static_cast<float>(t.accumulator) * t.multiplier;
  t.rounded = std::nearbyint(t.scaled);
  t.level = kernels::requantize(t.accumulator, t.multiplier, t.output.zero_point);
  if (t.relu) t.level = std::max(t.level, t.output.zero_point);
  t.real = t.output.scale * static_cast<float>(t.level - t.output.zero_point);
}

}  // namespace

Trace trace_unit(const format::PackedModel& model, const Tensor& image,
                 const TraceOptions& options) {
  const auto stages = runtime::stages(model);
  const std::size_t index = find_layer(model, stages, options.layer);
  const PackedLayer& l = model.layers[index];
  require(format::takes_levels(l, stages[format::input_stage(l, index)].grid), "trace", "layer '",
          l.name,
          "' computes in floats: nothing is rounded there; trace an integer layer of a quantized "
          "model");
  const std::int64_t units = l.weight.shape[0];
  require(!options.unit || (*options.unit >= 0 && *options.unit < units), "trace", "layer '",
          l.name, "' has the units 0 to ", units - 1, ", not ", options.unit.value_or(0));

  const Shape& s = image.shape();
  Activation x, y;
  runtime::reference::run_layers(model, image.reshaped({1, s[0], s[1], s[2]}),
                                 [&](std::size_t i, const Activation& from, const Activation& to) {
                                   if (i == index) x = from, y = to;
                                 });

  Trace t;
  t.layer = l.name.empty() ? "layer " + std::to_string(index + 1) : l.name;
  t.convolution = format::has_window(l.kind);
  const std::int64_t at = most_active(y.values, options.unit);
  t.unit = at % units;
  if (t.convolution) {
    const std::int64_t width = y.values.shape()[2];
    t.y = at / units / width, t.x = at / units % width;
  }
  t.relu = l.relu, t.real_output = l.output.is_float();
  t.last = index + 1 == model.layers.size();
  t.input = x.grid, t.output = l.output;
  const auto unit = static_cast<std::size_t>(t.unit);
  t.weight_scale = l.weight.scales[l.weight.scales.size() == 1 ? 0 : unit];
  if (!l.bias_levels.empty()) t.bias = l.bias_levels[unit] * (std::int32_t{1} << l.bias_shift);
  multiply(t, l, x.values);
  scale(t);
  return t;
}

}  // namespace espalier::apps
