#include "compress/format/wiring.hpp"

#include <algorithm>

namespace espalier::format {

std::vector<ActivationGrid> stage_grids(const PackedModel& model) {
  std::vector<ActivationGrid> grids{model.input};
  for (std::size_t i = 0; i < model.layers.size(); ++i)
    grids.push_back(grid_behind(model.layers[i], grids[input_stage(model.layers[i], i)]));
  return grids;
}

std::vector<bool> kept_stages(const PackedModel& model) {
  std::vector<bool> kept(model.layers.size() + 1);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PackedLayer& layer = model.layers[i];
    if (layer.from != 1) kept[input_stage(layer, i)] = true;
    if (layer.kind == LayerKind::kResidual) kept[other_stage(layer, i)] = true;
  }
  return kept;
}

bool has_branches(const PackedModel& model) {
  return std::ranges::any_of(kept_stages(model), [](bool kept) { return kept; });
}

std::vector<std::size_t> last_readers(const PackedModel& model) {
  std::vector<std::size_t> last(model.layers.size() + 1);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const PackedLayer& layer = model.layers[i];
    last[i + 1] = i;
    last[input_stage(layer, i)] = i;
    if (layer.kind == LayerKind::kResidual) last[other_stage(layer, i)] = i;
  }
  return last;
}

KeptPlaces place_kept(const PackedModel& model, std::span<const std::int64_t> sizes) {
  const auto kept = kept_stages(model);
  const auto last = last_readers(model);
  KeptPlaces places{.at = std::vector<std::int64_t>(kept.size())};
  auto& at = places.at;
  for (std::size_t s = 0; s < kept.size(); ++s) {
    if (!kept[s]) continue;
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t r = 0; r < s; ++r) {
        const bool alive = kept[r] && last[r] + 1 >= s;  // layer s - 1 writes stage s
        if (!alive || at[s] >= at[r] + sizes[r] || at[r] >= at[s] + sizes[s]) continue;
        at[s] = at[r] + sizes[r];
        moved = true;
      }
    }
    places.total = std::max(places.total, at[s] + sizes[s]);
  }
  return places;
}

}  // namespace espalier::format
