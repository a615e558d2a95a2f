#include "compress/runtime/onednn/plan.hpp"

#include <algorithm>

#include "compress/format/validate.hpp"
#include "compress/runtime/onednn/levels.hpp"
#include "core/onednn/onednn.hpp"

namespace espalier::runtime {
namespace {

using format::LayerKind;
using format::PackedLayer;

onednn::Workspace workspace_for(const format::PackedModel& model, const std::vector<Stage>& all,
                                std::int64_t batch) {
  std::int64_t sums = 0, padded = 0;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PackedLayer& l = model.layers[i];
    if (!format::has_weight(l.kind) || !format::takes_levels(l, all[i].grid)) continue;
    sums = std::max(sums, all[i + 1].elements());
    if (onednn::pads_by_copy(l, all[i].grid))
      padded = std::max(padded, onednn::padded_shape(l, 1, all[i].shape).elements());
  }
  return {Tensor({batch * sums}, DType::kInt32), Tensor({batch * padded}, DType::kUint8)};
}

// The table of steps; nothing to do for a flatten.
std::vector<onednn::Step> steps_of(const PackedLayer& l, const onednn::Activation& x,
                                   const onednn::Activation& y, bool exact,
                                   onednn::Workspace& workspace) {
  const bool is_float = x.grid.is_float(), integer = format::takes_levels(l, x.grid);
  switch (l.kind) {
    case LayerKind::kConv2d:
    case LayerKind::kDense:
      return {integer ? onednn::integer_linear(l, x, y, workspace)
              : exact ? onednn::ordered_linear(l, x, y)
                      : onednn::float_linear(l, x, y)};
    case LayerKind::kMaxPool2d:
      return {onednn::pool2d(l, x, y)};
    case LayerKind::kAveragePool2d:
      return {!is_float ? onednn::average_pool2d_levels(l, x, y)
              : exact   ? onednn::ordered_average_pool2d(l, x, y)
                        : onednn::pool2d(l, x, y)};
    case LayerKind::kBatchNorm:
      return {integer                         ? onednn::batch_norm_levels(l, x, y)
              : is_float && y.grid.is_float() ? onednn::batch_norm(l, x, y)
                                              : onednn::crossing_batch_norm(l, x, y)};
    case LayerKind::kRelu:
      return {is_float ? onednn::relu(x) : onednn::relu_levels(x)};
    case LayerKind::kFlatten:
      return {};
  }
  fail(ErrorKind::kInternal, "Plan", "layer '", l.name, "' is of no known kind");
}

}  // namespace

Plan::Plan(const format::PackedModel& model, std::int64_t batch) : model_(model) {
  const auto all = stages(model);
  const bool exact = is_exact(model);
  std::int64_t largest = 0;
  for (const Stage& stage : all) largest = std::max(largest, stage.bytes());
  for (Tensor& slot : slots_) slot = Tensor({batch * largest}, DType::kUint8);
  workspace_ = workspace_for(model, all, batch);

  int slot = 0;
  const auto activation = [&](const Stage& stage) -> onednn::Activation {
    const auto& s = stage.shape;
    return {slots_[slot].mutable_data<std::uint8_t>(), {batch, s[0], s[1], s[2]}, stage.grid};
  };
  onednn::Activation x = input_ = activation(all.front());
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const LayerKind kind = model.layers[i].kind;
    const bool crosses = all[i].grid.is_float() != all[i + 1].grid.is_float();
    if (format::has_weight(kind) || format::has_window(kind) || crosses) slot = 1 - slot;
    const onednn::Activation y = activation(all[i + 1]);
    try {
      for (auto& step : steps_of(model.layers[i], x, y, exact, workspace_))
        steps_.push_back(std::move(step));
    } catch (const dnnl::error& e) {
      dnn::fail(e);
    }
    x = y;
  }
  logits_ = x;
}

std::span<const float> Plan::run(std::span<const float> pixels) {
  if (input_.grid.is_float())
    onednn::transform_pixels(pixels, model_, input_.floats());
  else
    onednn::quantize_pixels(pixels, model_, input_.levels());
  for (const auto& step : steps_) step();
  return {logits_.floats(), static_cast<std::size_t>(logits_.shape.elements())};
}

}  // namespace espalier::runtime
