#include "compress/export/arena.hpp"

#include <algorithm>

#include "compress/format/wiring.hpp"

namespace espalier::exports {
namespace {

using format::LayerKind;

bool is_convolution(const Step& s) {
  return s.layer->kind == LayerKind::kConv2d || s.layer->kind == LayerKind::kDepthwiseConv2d;
}

bool fuses(const Step& conv, const Step& pool) {
  const format::PackedLayer& l = *pool.layer;
  return is_convolution(conv) && !conv.is_logits() && l.kind == LayerKind::kMaxPool2d &&
         l.kernel_h == l.stride_h && l.kernel_w == l.stride_w &&
         l.pad_top + l.pad_bottom + l.pad_left + l.pad_right == 0;
}

bool in_place(LayerKind kind) {
  return kind == LayerKind::kRelu || kind == LayerKind::kBatchNorm || kind == LayerKind::kFlatten ||
         kind == LayerKind::kResidual;
}

}  // namespace

bool Move::copies() const {
  const LayerKind kind = step->layer->kind;
  return in_place(kind) && kind != LayerKind::kResidual && from != to;
}

Arena arena_of(const Network& network) {
  Arena arena;
  const auto& steps = network.steps;
  const auto kept = format::kept_stages(*network.model);
  std::vector<std::int64_t> sizes{elements(network.model->input_shape)};
  for (const Step& s : steps) sizes.push_back(s.is_logits() ? 0 : elements(s.out));
  const auto chained = [&](std::size_t stage) { return kept[stage] ? 0 : sizes[stage]; };

  arena.elements = chained(0);
  std::vector<std::size_t> ends;  // the stage that each move yields
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::size_t next = i + 1;
    const bool pooled = next < steps.size() && steps[next].input == next && !kept[next] &&
                        fuses(steps[i], steps[next]);
    arena.moves.push_back({&steps[i], pooled ? &steps[next] : nullptr, 0, 0, 0});
    if (is_convolution(steps[i])) arena.row = std::max(arena.row, steps[i].out[1]);
    const std::size_t input = steps[i].input;
    if (pooled) ++i;
    ends.push_back(i + 1);
    const bool same = in_place(arena.moves.back().step->layer->kind) && !kept[input];
    arena.elements = std::max(arena.elements, (same ? 0 : chained(input)) + chained(i + 1));
  }

  const auto places = format::place_kept(*network.model, sizes);
  std::vector<std::int64_t> at(sizes.size());
  for (std::size_t s = 0; s < at.size(); ++s)
    if (kept[s]) at[s] = arena.elements + places.at[s];
  arena.image = at[0];
  for (std::size_t i = 0; i < ends.size(); ++i) {
    Move& m = arena.moves[i];
    const std::size_t input = m.step->input;
    m.from = at[input];
    m.other = at[m.step->other];
    if (!kept[ends[i]] && !kept[input])
      at[ends[i]] = in_place(m.step->layer->kind) ? m.from
                    : m.from == 0                 ? arena.elements - elements(m.out())
                                                  : 0;
    m.to = at[ends[i]];
  }
  arena.elements += places.total;
  return arena;
}

}  // namespace espalier::exports
