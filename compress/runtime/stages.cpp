#include "compress/runtime/stages.hpp"

#include <algorithm>

#include "compress/format/validate.hpp"
#include "compress/format/wiring.hpp"

namespace espalier::runtime {

using format::LayerKind;
using format::PackedLayer;

kernels::Window window_of(const PackedLayer& l) {
  return {.kernel_h = l.kernel_h,
          .kernel_w = l.kernel_w,
          .stride_h = l.stride_h,
          .stride_w = l.stride_w,
          .pad_top = l.pad_top,
          .pad_left = l.pad_left,
          .pad_bottom = l.pad_bottom,
          .pad_right = l.pad_right};
}

std::vector<Stage> stages(const format::PackedModel& model, ErrorKind kind,
                          std::string_view where) {
  std::vector<Stage> all{{model.input_shape, model.input}};
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PackedLayer& layer = model.layers[i];
    format::check_padding(layer, format::title_of(layer, i), kind, where);
    const Stage in = all[format::input_stage(layer, i)];
    const std::int64_t channels =
        format::has_weight(layer.kind) ? layer.weight.shape[0] : in.shape[2];
    all.push_back({format::output_shape(layer, channels, in.shape, kind, where),
                   format::grid_behind(layer, in.grid)});
  }
  require(all.back().grid.is_float(), kind, where,
          "the model ends in levels, not in logits; give its last layer a float output");
  return all;
}

bool is_exact(const format::PackedModel& model) {
  return !model.input.is_float() ||
         std::ranges::any_of(model.layers, [](const auto& l) { return !l.output.is_float(); });
}

}  // namespace espalier::runtime
