#include "compress/runtime/costs.hpp"

#include <algorithm>

#include "compress/format/validate.hpp"
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
  std::int64_t peak = all.front().bytes();
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const auto kind = model.layers[i].kind;
    const bool moves = format::has_weight(kind) || format::has_window(kind) ||
                       all[i].grid.is_float() != all[i + 1].grid.is_float();
    peak = std::max(peak, all[i + 1].bytes() + (moves ? all[i].bytes() : 0));
  }
  return peak;
}

}  // namespace espalier::runtime
