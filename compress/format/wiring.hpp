// Which stage each layer of a packed model reads. Stage 0 is the model's input, stage i + 1 what layer
// i yields.
#pragma once

#include <vector>

#include "compress/format/packed_model.hpp"

namespace espalier::format {

// Of layer `i` in a model that keeps FORMAT.md's rules.
inline std::size_t input_stage(const PackedLayer& layer, std::size_t i) {
  return i + 1 - static_cast<std::size_t>(layer.from);
}
inline std::size_t other_stage(const PackedLayer& layer, std::size_t i) {
  return i + 1 - static_cast<std::size_t>(layer.with);
}

// The grid of each stage.
inline std::vector<ActivationGrid> stage_grids(const PackedModel& model) {
  std::vector<ActivationGrid> grids{model.input};
  for (std::size_t i = 0; i < model.layers.size(); ++i)
    grids.push_back(grid_behind(model.layers[i], grids[input_stage(model.layers[i], i)]));
  return grids;
}

// The stages that are not read by the next layer alone: they outlive it, and nothing may be fused
// across them. One flag a stage.
inline std::vector<bool> kept_stages(const PackedModel& model) {
  std::vector<bool> kept(model.layers.size() + 1);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PackedLayer& layer = model.layers[i];
    if (layer.from != 1) kept[input_stage(layer, i)] = true;
    if (layer.kind == LayerKind::kResidual) kept[other_stage(layer, i)] = true;
  }
  return kept;
}

// The last layer that reads each stage; of one that none reads the layer that yields it.
inline std::vector<std::size_t> last_readers(const PackedModel& model) {
  std::vector<std::size_t> last(model.layers.size() + 1);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PackedLayer& layer = model.layers[i];
    last[i + 1] = i;
    last[input_stage(layer, i)] = i;
    if (layer.kind == LayerKind::kResidual) last[other_stage(layer, i)] = i;
  }
  return last;
}

}  // namespace espalier::format
