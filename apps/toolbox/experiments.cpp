#include "apps/toolbox/experiments.hpp"

#include "compress/cluster/weight_clustering.hpp"
#include "compress/pack/pack.hpp"
#include "compress/pack/weight_types.hpp"
#include "compress/prune/unit_pruner.hpp"
#include "compress/quantize/quantization_aware.hpp"

namespace espalier::apps {
namespace {

Outcome prune_80(const Start& start) {
  Sequential model = start.trained_model();
  prune(model, start, pruning(0.8f));
  return floats(model, start);
}

Outcome prune_80_int8(const Start& start) {
  Sequential model = start.trained_model();
  prune(model, start, pruning(0.8f));
  return integers_after_training(model, start);
}

Outcome prune_80_dynamic_range(const Start& start) {
  Sequential model = start.trained_model();
  prune(model, start, pruning(0.8f));
  Outcome outcome = floats(model, start);
  pack::to_dynamic_range(outcome.packed);
  return outcome;
}

Outcome dynamic_range(const Start& start) {
  Sequential model = start.trained_model();
  Outcome outcome = floats(model, start);
  pack::to_dynamic_range(outcome.packed);
  return outcome;
}

Outcome float16(const Start& start) {
  Sequential model = start.trained_model();
  Outcome outcome = floats(model, start);
  pack::to_float16(outcome.packed);
  return outcome;
}

Outcome cluster_16(const Start& start) {
  Sequential model = start.trained_model();
  cluster(model, start, {.clusters = 16});
  return floats(model, start);
}

Outcome cluster_16_int8(const Start& start) {
  Sequential model = start.trained_model();
  cluster(model, start, {.clusters = 16});
  return integers_after_training(model, start, {.per_channel = false});
}

// Clusters that are chosen by what they cost, too.
Outcome cluster_16_priced_int8(const Start& start) {
  Sequential model = start.trained_model();
  cluster(model, start, {.clusters = 16, .bit_price = 0.08f});
  return integers_after_training(model, start, {.per_channel = false});
}

Outcome aware_one_epoch(const Start& start) {
  Sequential model = train_baseline(start, {.epochs = 1});
  const Outcome before = floats(model, start);
  Outcome outcome = quantization_aware(model, start, {.epochs = 1});
  outcome.own_baseline = before.packed;
  return outcome;
}

Outcome prune_cluster_quantize(const Start& start) {
  Sequential model = start.trained_model();
  prune(model, start, pruning(0.5f));
  // Evenly spread values: most weights share the few near 0, and a file codes them in fewer bits
  // than k-means' even shares.
  cluster::WeightClustering before(
      {.clusters = 8, .init = cluster::Init::kLinear, .preserve_sparsity = true});
  training::fit(model, *start.train, fit_options(start, "clustering", 2, start.rates.quantizing),
                {&before});
  before.bake();
  cluster::WeightClustering clustering({.clusters = 8, .preserve_sparsity = true});  // finds them
  quantize::QuantizationAware aware({.per_channel = false});
  training::fit(model, *start.train, fit_options(start, "PCQAT", 2, start.rates.quantizing),
                {&clustering, &aware});
  aware.bake();
  clustering.bake();
  return {pack::pack(aware.network(), start.train->image_shape()), pack::deflate_bytes(model)};
}

Outcome two_of_four(const Start& start) {
  Sequential model = start.trained_model();
  auto options = pruning(0.5f);
  options.structure = prune::NofM{.keep = 2, .of = 4};
  prune(model, start, options);
  return floats(model, start);
}

Outcome half_the_filters(const Start& start) {
  Sequential model = start.trained_model();
  prune::UnitPruner::Options options{
      .schedule = prune::polynomial_sparsity({.final = 0.5f, .end = 0.5f}), .frequency_steps = 50};
  if (start.quiet) options.warn = warn_nobody;
  prune::UnitPruner pruner(options);
  training::fit(model, *start.train, fit_options(start, "filters", 4, start.rates.pruning),
                {&pruner});
  pruner.bake();
  prune::remove_zero_units(model, start.train->image_shape());
  return floats(model, start);
}

Outcome four_bits(const Start& start) {
  Sequential model = start.trained_model();
  prune(model, start, pruning(0.8f));
  return quantization_aware(model, start, {.bits = 4});
}

}  // namespace

const std::vector<Experiment>& experiments() {
  static const std::vector<Experiment> all = {
      {.name = "prune 80 %",
       .theirs = "3.04x, 97.4 %",
       .must_shrink = 3,
       .deflate_to_deflate = true,
       .must_accuracy = 0.975,
       .run = prune_80},
      {.name = "prune 80 % + dynamic range",
       .theirs = "9.5x",
       .must_shrink = 12,
       .must_accuracy = 0.974,
       .run = prune_80_dynamic_range},
      {.name = "prune 80 % + int8",
       .theirs = "none",
       .must_shrink = 12,
       .must_accuracy = 0.974,
       .run = prune_80_int8},
      {.name = "float16", .theirs = "2x", .must_shrink = 2, .must_drop = 0.001, .run = float16},
      {.name = "dynamic range",
       .theirs = "4x",
       .must_shrink = 4,
       .must_drop = 0.003,
       .run = dynamic_range},
      {.name = "cluster 16", .theirs = "6x", .must_shrink = 8, .run = cluster_16},
      {.name = "cluster 16 + int8", .theirs = "8x", .must_shrink = 8, .run = cluster_16_int8},
      {.name = "cluster 16, priced, + int8",
       .theirs = "none",
       .must_shrink = 12,
       .must_drop = 0.005,
       .run = cluster_16_priced_int8},
      {.name = "int8 aware, 1 + 1 epochs",
       .theirs = "3.44x, 96.3 %",
       .must_shrink = 4,
       .must_drop = 0.003,
       .run = aware_one_epoch},
      {.name = "PCQAT: prune 50 %, cluster 8",
       .theirs = "no number",
       .must_shrink = 14,
       .must_drop = 0.005,
       .run = prune_cluster_quantize},
      {.name = "2 of 4", .theirs = "no number", .must_drop = 0.003, .run = two_of_four},
      {.name = "half the filters",
       .theirs = "none",
       .must_drop = 0.005,
       .must_macs = 0.5,
       .run = half_the_filters},
      {.name = "80 % zeros, 4 bits aware",
       .theirs = "none",
       .must_shrink = 16,
       .must_drop = 0.005,
       .run = four_bits},
  };
  return all;
}

}  // namespace espalier::apps
