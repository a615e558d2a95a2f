#include "compress/recipe/relax.hpp"

#include <algorithm>
#include <set>

#include "compress/format/wiring.hpp"
#include "compress/recipe/stage_passes.hpp"
#include "core/base/text.hpp"

namespace espalier::recipe {
namespace {

using format::PackedLayer;

const PackedLayer* find(const format::PackedModel& model, const std::string& name) {
  const auto found = std::ranges::find(model.layers, name, &PackedLayer::name);
  return found == model.layers.end() ? nullptr : &*found;
}

// The biases as real numbers; `input` is the grid of what the layer takes.
std::vector<float> real_biases(const PackedLayer& l, const format::ActivationGrid& input) {
  std::vector<float> biases = l.bias;
  for (std::size_t c = 0; c < l.bias_levels.size(); ++c)
    biases.push_back(static_cast<float>(l.bias_levels[c]) *
                     static_cast<float>(std::int64_t{1} << l.bias_shift) *
                     (input.scale * l.weight.scales[l.weight.scales.size() == 1 ? 0 : c]));
  return biases;
}

std::size_t weights_of(const PackedLayer& l) {
  return l.weight.values.size() + l.weight.levels.size();
}

bool names(const std::vector<std::string>& list, const std::string& layer) {
  return std::ranges::count(list, layer) || std::ranges::count(list, layer + ".weight");
}

// The layers whose weights are selected.
std::set<std::string> layers_of(const Select& select, Sequential& model) {
  std::set<std::string> layers;
  const auto selects = selection(select);
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    if (name.ends_with(".weight") && selects(name, p))
      layers.insert(name.substr(0, name.find('.')));
  }});
  return layers;
}

// Those whose weights the stage lets go one by one, or in blocks.
std::set<std::string> pruned_layers(const Stage& stage, Sequential& model) {
  if (!stage.prune || stage.prune->structure == Form::kNofM) return {};
  return layers_of(stage.prune->select, model);
}

std::optional<std::string> with_more_weights(Stage& stage, const std::string& layer,
                                             const std::map<std::string, float>& sparsities,
                                             Sequential& model) {
  constexpr float kNone = 0.05f;  // of zeros this few nothing is worth returning
  const auto pruned = pruned_layers(stage, model);
  if (!pruned.contains(layer)) return std::nullopt;
  Prune& prune = *stage.prune;
  if (prune.allocation != Sharing::kPerLayer) {  // from here on as it came out
    prune.sparsities.clear();
    for (const auto& [name, sparsity] : sparsities)
      if (pruned.contains(name) && sparsity < 1) prune.sparsities[name + ".weight"] = sparsity;
    prune.allocation = Sharing::kPerLayer;
  }
  const bool by_layer = prune.sparsities.contains(layer);
  const auto named = prune.sparsities.find(by_layer ? layer : layer + ".weight");
  const float now = named == prune.sparsities.end() ? prune.target.sparsity : named->second;
  if (now < kNone) return std::nullopt;
  const float then = 1 - 2 * (1 - now) < kNone ? 0 : 1 - 2 * (1 - now);
  prune.sparsities[by_layer ? layer : layer + ".weight"] = then;
  return layer + ": sparsity " + percent(double{now}, 0) + " to " + percent(double{then}, 0);
}

// Twice as many, of every layer, as the number is one for all; from 64 on the layer goes without, unless
// it is the last.
std::optional<std::string> with_more_clusters(Stage& stage, const std::string& layer,
                                              Sequential& model) {
  constexpr int kMany = 64;
  if (!stage.cluster) return std::nullopt;
  Cluster& cluster = *stage.cluster;
  auto clustered = layers_of(cluster.select, model);
  if (!clustered.contains(layer)) return std::nullopt;
  if (cluster.clusters < kMany) {
    const int before = cluster.clusters;
    cluster.clusters = std::min(kMany, 2 * before);
    return "all layers: " + std::to_string(before) + " to " + std::to_string(cluster.clusters) +
           " clusters";
  }
  clustered.erase(layer);
  if (clustered.empty()) return std::nullopt;
  cluster.select.layers.clear();
  for (const std::string& other : clustered) cluster.select.layers.push_back(other + ".weight");
  return layer + ": " + std::to_string(cluster.clusters) + " clusters to none";
}

// At 8 bits; the types of stored weights have one width for all.
std::optional<std::string> as_floats(Stage& stage, const std::string& layer) {
  if (stage.quantize) {
    if (names(stage.quantize->float_layers, layer)) return std::nullopt;
    stage.quantize->layer_bits.erase(layer);
    stage.quantize->float_layers.push_back(layer);
    return layer + ": 8 bits to floats";
  }
  std::vector<std::string>* keep = stage.dynamic_range ? &stage.dynamic_range->keep
                                   : stage.float16     ? &stage.float16->keep
                                                       : nullptr;
  if (!keep || names(*keep, layer)) return std::nullopt;
  keep->push_back(layer);
  return layer + ": " + std::to_string(stage.dynamic_range ? stage.dynamic_range->bits : 16) +
         " bits to floats";
}

std::optional<std::string> with_more_bits(Stage& stage, const std::string& layer) {
  if (!stage.quantize) return std::nullopt;
  Quantize& q = *stage.quantize;
  if (names(q.float_layers, layer)) return std::nullopt;
  const auto own = q.layer_bits.find(layer);
  const bool narrow = own == q.layer_bits.end() && q.weights != quantize::WeightLevels::kUniform;
  const int bits = own != q.layer_bits.end() ? own->second : narrow ? 2 : q.weight_bits;
  if (bits >= 8) return std::nullopt;
  q.layer_bits[layer] = std::min(8, bits + 2);
  return layer + ": " + std::to_string(bits) + " to " + std::to_string(q.layer_bits[layer]) +
         " bits";
}

}  // namespace

std::vector<LayerCost> layer_costs(
    const format::PackedModel& floats, const format::PackedModel& compressed,
    const std::function<double(const format::PackedModel&)>& accuracy) {
  const double whole = accuracy(floats);
  const auto grids = format::stage_grids(compressed);
  std::vector<LayerCost> costs;
  for (std::size_t i = 0; i < compressed.layers.size(); ++i) {
    const PackedLayer& l = compressed.layers[i];
    const PackedLayer* own = format::has_weight(l.kind) ? find(floats, l.name) : nullptr;
    if (own == nullptr || own->weight.shape != l.weight.shape) continue;
    format::PackedModel mixed = floats;
    PackedLayer& replaced = mixed.layers[static_cast<std::size_t>(own - floats.layers.data())];
    replaced.weight.values = format::float_weights(l.weight);
    replaced.bias = real_biases(l, grids[format::input_stage(l, i)]);
    costs.push_back({l.name, whole - accuracy(mixed)});
  }
  std::ranges::stable_sort(costs, [&](const LayerCost& a, const LayerCost& b) {
    if (a.drop != b.drop) return a.drop > b.drop;
    return weights_of(*find(floats, a.layer)) > weights_of(*find(floats, b.layer));
  });
  return costs;
}

std::map<std::string, float> layer_sparsities(const format::PackedModel& model) {
  std::map<std::string, float> all;
  for (const PackedLayer& l : model.layers) {
    if (!format::has_weight(l.kind)) continue;
    const auto zeros =
        std::ranges::count(l.weight.values, 0.0f) + std::ranges::count(l.weight.levels, 0);
    all[l.name] = static_cast<float>(zeros) / static_cast<float>(weights_of(l));
  }
  return all;
}

std::optional<Relaxed> relaxed(const Recipe& recipe, const std::string& layer,
                               const std::map<std::string, float>& sparsities, Sequential& model) {
  using Change = std::function<std::optional<std::string>(Stage&)>;
  const std::vector<Change> changes = {
      [&](Stage& stage) { return with_more_weights(stage, layer, sparsities, model); },
      [&](Stage& stage) { return with_more_clusters(stage, layer, model); },
      [&](Stage& stage) { return with_more_bits(stage, layer); },
      [&](Stage& stage) { return as_floats(stage, layer); }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Relaxed to{recipe, "", i + 1 == changes.size()};
    for (Stage& stage : to.recipe.stages)
      if (const auto what = changes[i](stage)) to.change = *what;
    if (!to.change.empty()) return to;
  }
  return std::nullopt;
}

}  // namespace espalier::recipe
