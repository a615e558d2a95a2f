// Which stage each layer of a packed model reads. Stage 0 is the model's input, stage i + 1 what layer
// i yields. The model keeps FORMAT.md's rules.
#pragma once

#include <span>
#include <vector>

#include "compress/format/packed_model.hpp"

namespace espalier::format {

inline std::size_t input_stage(const PackedLayer& layer, std::size_t i) {
  return i + 1 - static_cast<std::size_t>(layer.from);
}
inline std::size_t other_stage(const PackedLayer& layer, std::size_t i) {
  return i + 1 - static_cast<std::size_t>(layer.with);
}

// The grid of each stage.
std::vector<ActivationGrid> stage_grids(const PackedModel& model);

// The stages that are not read by the next layer alone: they outlive it, and nothing may be fused
// across them. One flag a stage.
std::vector<bool> kept_stages(const PackedModel& model);

// Whether any stage is kept: the model is no plain chain.
bool has_branches(const PackedModel& model);

// The last layer that reads each stage; of one that none reads the layer that yields it.
std::vector<std::size_t> last_readers(const PackedModel& model);

// Where the kept stages, of `sizes`, lie in memory of their own: each as near to its start as those
// leave room that are still to be read. Of other stages `at` is 0.
struct KeptPlaces {
  std::vector<std::int64_t> at;
  std::int64_t total = 0;
};
KeptPlaces place_kept(const PackedModel& model, std::span<const std::int64_t> sizes);

}  // namespace espalier::format
