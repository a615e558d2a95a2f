#include "compress/pack/weight_types.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include "compress/format/half.hpp"
#include "compress/format/validate.hpp"
#include "compress/format/wiring.hpp"
#include "compress/quantize/grid.hpp"

namespace espalier::pack {
namespace {

using format::PackedLayer;

// Converts each layer with float32 weights that is not to be kept; what `convert` says, if it says
// anything, is why the layer stayed.
std::vector<StaysFloat32> convert_layers(
    format::PackedModel& model, const std::vector<std::string>& keep, std::string_view where,
    const std::function<std::string(PackedLayer&, const format::ActivationGrid& input)>& convert) {
  for (const std::string& name : keep)
    require(std::ranges::any_of(
                model.layers,
                [&](const PackedLayer& l) { return l.name == name && format::has_weight(l.kind); }),
            where, "'", name, "', to be kept in float32, is no convolution or dense layer");
  std::vector<StaysFloat32> report;
  const auto grids = format::stage_grids(model);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    PackedLayer& layer = model.layers[i];
    const auto& input = grids[format::input_stage(layer, i)];
    std::string reason;
    if (layer.kind == format::LayerKind::kBatchNorm)
      reason = takes_levels(layer, input) ? "" : "batch norm has two numbers a channel";
    else if (format::has_weight(layer.kind) && layer.weight.bits == 32)
      reason = std::ranges::count(keep, layer.name) > 0 ? "named" : convert(layer, input);
    if (!reason.empty()) report.push_back({layer.name, reason});
  }
  return report;
}

bool fits_half(const std::vector<float>& values) {
  return std::ranges::all_of(values, [](float v) { return std::isfinite(from_half(to_half(v))); });
}

// -0 becomes 0: the format stores zeros as absent.
void round_to_half(std::vector<float>& values) {
  for (float& v : values) v = from_half(to_half(v)) + 0.0f;
}

// The smallest float of four bits behind the leading one that is not below `scale`.
float shortened_upward(float scale) {
  int exponent = 0;
  const float mantissa = std::frexp(scale, &exponent);  // [0.5, 1)
  return std::ldexp(std::ceil(std::ldexp(mantissa, 5)), exponent - 5);
}

// Each channel's; of channels without weights that of the channel before, so that it costs nothing.
std::vector<float> scales_of(const Tensor& weight, const DynamicRangeOptions& options) {
  std::vector<float> scales = quantize::weight_scales(weight, options.bits);
  const std::size_t stride = weight.values().size() / scales.size();
  float last = 0, largest = 0;
  for (std::size_t c = 0; c < scales.size(); ++c) {
    const auto row = weight.values().subspan(c * stride, stride);
    const bool empty = std::ranges::all_of(row, [](float v) { return v == 0; });
    if (!empty) last = shortened_upward(scales[c]);
    scales[c] = last;
    largest = std::max(largest, last);
  }
  if (largest == 0) largest = 1;
  for (float& s : scales) s = s == 0 || !options.per_channel ? largest : s;
  return scales;
}

}  // namespace

std::vector<StaysFloat32> to_float16(format::PackedModel& model, const Float16Options& options) {
  return convert_layers(model, options.keep, "to_float16",
                        [](PackedLayer& layer, const auto&) -> std::string {
                          if (!fits_half(layer.weight.values) || !fits_half(layer.bias))
                            return "a value is beyond 65,504, the most that 16 bits hold";
                          layer.weight.bits = 16;
                          round_to_half(layer.weight.values);
                          round_to_half(layer.bias);
                          return "";
                        });
}

std::vector<StaysFloat32> to_dynamic_range(format::PackedModel& model,
                                           const DynamicRangeOptions& options) {
  quantize::max_weight_level(options.bits);  // checks
  return convert_layers(
      model, options.keep, "to_dynamic_range",
      [&](PackedLayer& layer, const auto& input) -> std::string {
        if (!input.is_float()) return "it takes levels: of levels its sums would be integers";
        auto& w = layer.weight;
        const Tensor values =
            Tensor::from<float>(Shape(std::span<const std::int64_t>(w.shape)), w.values);
        const auto scales = scales_of(values, options);
        if (!std::ranges::all_of(scales, [](float s) { return std::isfinite(127 * s); }))
          return "its scale is too large for floats";
        w.levels = quantize::weight_levels(values, scales, options.bits);
        w.bits = options.bits;
        w.values.clear();
        const bool one = std::ranges::count(scales, scales.front()) == std::ssize(scales);
        w.scales = one ? std::vector{scales.front()} : scales;
        return "";
      });
}

}  // namespace espalier::pack
