#include "compress/runtime/stages.hpp"

#include "compress/format/validate.hpp"

namespace espalier::runtime {
namespace {

using format::LayerKind;
using format::PackedLayer;

void check_padding(const PackedLayer& l, ErrorKind kind, std::string_view where) {
  if (!format::has_window(l.kind)) return;
  require(l.pad_top < l.kernel_h && l.pad_bottom < l.kernel_h && l.pad_left < l.kernel_w &&
              l.pad_right < l.kernel_w,
          kind, where, "layer '", l.name, "' pads by as much as its kernel ", l.kernel_h, "x",
          l.kernel_w, "; pad by less");
}

format::ActivationGrid output_grid(const PackedLayer& l, const format::ActivationGrid& input,
                                   ErrorKind kind, std::string_view where) {
  const bool linear = format::has_weight(l.kind);
  if (!linear && l.kind != LayerKind::kBatchNorm) return input;
  if (linear)
    require(l.weight.is_float() == input.is_float(), kind, where, "layer '", l.name, "' has ",
            l.weight.is_float() ? "float weights and levels as input"
                                : "levels as weights and a float input",
            "; pack the whole model either as floats or as integers");
  require(!input.is_float() || l.output.is_float(), kind, where, "layer '", l.name,
          "' takes floats and claims to yield levels; give it a float output");
  require(linear || input.is_float() == l.output.is_float(), kind, where, "batch norm '", l.name,
          "' takes levels and claims to yield floats; give it an output grid");
  return l.output;
}

}  // namespace

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
  for (const PackedLayer& layer : model.layers) {
    check_padding(layer, kind, where);
    const Stage& in = all.back();
    const std::int64_t channels =
        format::has_weight(layer.kind) ? layer.weight.shape[0] : in.shape[2];
    all.push_back({format::output_shape(layer, channels, in.shape, kind, where),
                   output_grid(layer, in.grid, kind, where)});
  }
  require(all.back().grid.is_float(), kind, where,
          "the model ends in levels, not in logits; give its last layer a float output");
  return all;
}

}  // namespace espalier::runtime
