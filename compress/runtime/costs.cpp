#include "compress/runtime/costs.hpp"

#include <algorithm>

#include "compress/format/validate.hpp"
#include "compress/format/wiring.hpp"
#include "compress/runtime/stages.hpp"

namespace espalier::runtime {

std::int64_t macs(const format::PackedLayer& layer, const std::array<std::int64_t, 3>& input) {
  if (!format::has_weight(layer.kind)) return 0;
  const auto& w = layer.weight.shape;
  const auto out = format::output_shape(layer, w[0], input, ErrorKind::kUsage, "macs");
  const bool depthwise = layer.kind == format::LayerKind::kDepthwiseConv2d;
  const std::int64_t channels = depthwise ? 1 : input[2];  // that each output sees
  return out[0] * out[1] * out[2] * layer.kernel_h * layer.kernel_w * channels;  // dense: 1x1
}

std::int64_t peak_activation_bytes(const format::PackedModel& model) {
  const auto all = stages(model);
  const auto kept = format::kept_stages(model);
  const auto ends = format::last_readers(model);
  std::int64_t peak = all.front().bytes();
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const auto& layer = model.layers[i];
    const std::size_t input = format::input_stage(layer, i);
    const bool moves = format::has_weight(layer.kind) || format::has_window(layer.kind) ||
                       all[input].grid.is_float() != all[i + 1].grid.is_float();
    std::int64_t bytes = all[i + 1].bytes() + (moves && !kept[input] ? all[input].bytes() : 0);
    for (std::size_t s = 0; s <= i; ++s)
      if (kept[s] && ends[s] >= i) bytes += all[s].bytes();
    peak = std::max(peak, bytes);
  }
  return peak;
}

}  // namespace espalier::runtime
