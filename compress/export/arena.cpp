#include "compress/export/arena.hpp"

#include <algorithm>

namespace espalier::exports {
namespace {

using format::LayerKind;

bool fuses(const Step& conv, const Step& pool) {
  const format::PackedLayer& l = *pool.layer;
  return conv.layer->kind == LayerKind::kConv2d && !conv.is_logits() &&
         l.kind == LayerKind::kMaxPool2d && l.kernel_h == l.stride_h && l.kernel_w == l.stride_w &&
         l.pad_top + l.pad_bottom + l.pad_left + l.pad_right == 0;
}

bool in_place(LayerKind kind) {
  return kind == LayerKind::kRelu || kind == LayerKind::kBatchNorm || kind == LayerKind::kFlatten;
}

}  // namespace

Arena arena_of(const Network& network) {
  Arena arena;
  const auto& steps = network.steps;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool pooled = i + 1 < steps.size() && fuses(steps[i], steps[i + 1]);
    arena.moves.push_back({&steps[i], pooled ? &steps[i + 1] : nullptr, 0, 0});
    if (steps[i].layer->kind == LayerKind::kConv2d)
      arena.row = std::max(arena.row, steps[i].out[1]);
    if (pooled) ++i;
  }
  const auto written = [](const Move& m) { return m.step->is_logits() ? 0 : elements(m.out()); };
  arena.elements = elements(network.model->input_shape);
  for (const Move& m : arena.moves)
    if (!in_place(m.step->layer->kind))
      arena.elements = std::max(arena.elements, elements(m.step->in) + written(m));
  std::int64_t at = 0;
  for (Move& m : arena.moves) {
    m.from = m.to = at;
    if (in_place(m.step->layer->kind)) continue;
    m.to = at = at == 0 ? arena.elements - elements(m.out()) : 0;
  }
  return arena;
}

}  // namespace espalier::exports
