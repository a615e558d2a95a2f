// When a recipe takes too much accuracy: which layer costs most, and the recipe that asks less of it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "compress/format/packed_model.hpp"
#include "compress/recipe/recipe.hpp"
#include "layers/sequential.hpp"

namespace espalier::recipe {

struct LayerCost {
  std::string layer;
  double drop = 0;  // of accuracy, 0..1; may be below 0
};

// What the float model loses with one layer's compressed weights and biases in place of its own, for
// each convolution and dense layer whose shape is the same in both; the most expensive first, of
// equals the one with more weights. `accuracy` measures a model, 0..1. Activations' rounding is no
// layer's. Batch norm is folded in both, or in neither.
std::vector<LayerCost> layer_costs(
    const format::PackedModel& floats, const format::PackedModel& compressed,
    const std::function<double(const format::PackedModel&)>& accuracy);

// Zeros, as a share, of each layer with weights.
std::map<std::string, float> layer_sparsities(const format::PackedModel& model);

struct Relaxed {
  Recipe recipe;
  std::string change;      // "conv1: sparsity 80 % to 60 %"
  bool to_floats = false;  // the last thing that could be returned
};

// Asks less of `layer`: twice as many weights, where a stage prunes it; where none is left to return,
// twice as many clusters (of all layers; from 64 on none, of this one); then 2 bits more; at 8 bits, and
// of dynamic_range and float16, floats. sparsities: layer_sparsities() of what the recipe made. Nothing when
// the recipe asks no more of the layer that could be returned. model: of these layers, for what the stages select.
std::optional<Relaxed> relaxed(const Recipe& recipe, const std::string& layer,
                               const std::map<std::string, float>& sparsities, Sequential& model);

}  // namespace espalier::recipe
