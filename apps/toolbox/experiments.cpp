#include "apps/toolbox/experiments.hpp"

#include "compress/cluster/weight_clustering.hpp"
#include "compress/pack/pack.hpp"
#include "compress/prune/keep_zeros.hpp"
#include "compress/prune/pruner.hpp"
#include "compress/prune/unit_pruner.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "optim/training/fit.hpp"

namespace espalier::apps {
namespace {

// The rates of the MNIST tutorial (apps/tutorial/recipe.cpp), chosen there on validation images.
training::FitOptions fit_options(const Start& start, const char* label, int epochs, float rate) {
  return {.epochs = epochs,
          .batch_size = 128,
          .learning_rate = rate,
          .schedule = optim::cosine(),
          .seed = start.seed + 1,
          .label = label,
          .quiet = start.quiet};
}

Outcome floats(Sequential& model, const Start& start) {
  return {pack::pack(model, start.train->image_shape()), pack::deflate_bytes(model)};
}

// The first convolution has 108 of the network's weights: it stays whole.
prune::PrunerOptions pruning(float sparsity) {
  return {.schedule = prune::polynomial_sparsity({.initial = 0.5f, .final = sparsity, .end = 0.5f}),
          .frequency_steps = 20,
          .select = prune::weights_from(1000)};
}

void prune(Sequential& model, const Start& start, const prune::PrunerOptions& options) {
  prune::Pruner pruner(options);
  training::fit(model, *start.train, fit_options(start, "pruning", 4, 5e-3f), {&pruner});
  pruner.bake();
}

void cluster(Sequential& model, const Start& start, int clusters) {
  cluster::WeightClustering clustering({.clusters = clusters});
  training::fit(model, *start.train, fit_options(start, "clustering", 2, 5e-4f), {&clustering});
  clustering.bake();
}

// Full integers by calibration on a thousand images.
Outcome integers_after_training(Sequential& model, const Start& start, bool per_channel) {
  quantize::QuantizationAware pass(
      {.per_channel = per_channel, .observer = quantize::ObserverKind::kMinMax});
  pass.attach(model);
  pass.calibrate(*start.train, std::min<std::int64_t>(1000, start.train->size()));
  pass.bake();
  return {pack::pack(pass.network(), start.train->image_shape()), pack::deflate_bytes(model)};
}

Outcome quantization_aware(Sequential& model, const Start& start, int bits, int epochs) {
  prune::KeepZeros zeros;
  quantize::QuantizationAware aware({.weight_bits = bits});
  training::fit(model, *start.train, fit_options(start, "quantization-aware", epochs, 5e-4f),
                {&zeros, &aware});
  aware.bake();
  zeros.bake();
  return {pack::pack(aware.network(), start.train->image_shape()), pack::deflate_bytes(model)};
}

Outcome prune_80(const Start& start) {
  Sequential model = start.trained_model();
  prune(model, start, pruning(0.8f));
  return floats(model, start);
}

Outcome prune_80_int8(const Start& start) {
  Sequential model = start.trained_model();
  prune(model, start, pruning(0.8f));
  return integers_after_training(model, start, true);
}

Outcome cluster_16(const Start& start) {
  Sequential model = start.trained_model();
  cluster(model, start, 16);
  return floats(model, start);
}

Outcome cluster_16_int8(const Start& start) {
  Sequential model = start.trained_model();
  cluster(model, start, 16);
  return integers_after_training(model, start, false);
}

// Clusters that are chosen by what they cost, too.
Outcome cluster_16_priced_int8(const Start& start) {
  Sequential model = start.trained_model();
  cluster::WeightClustering clustering({.clusters = 16, .bit_price = 0.08f});
  training::fit(model, *start.train, fit_options(start, "clustering", 2, 5e-4f), {&clustering});
  clustering.bake();
  return integers_after_training(model, start, false);
}

Outcome aware_one_epoch(const Start& start) {
  Sequential model = train_baseline(start, 1);
  return quantization_aware(model, start, 8, 1);
}

Outcome prune_cluster_quantize(const Start& start) {
  Sequential model = start.trained_model();
  prune(model, start, pruning(0.5f));
  // Evenly spread values: most weights share the few near 0, and a file codes them in fewer bits
  // than k-means' even shares.
  cluster::WeightClustering before(
      {.clusters = 8, .init = cluster::Init::kLinear, .preserve_sparsity = true});
  training::fit(model, *start.train, fit_options(start, "clustering", 2, 5e-4f), {&before});
  before.bake();
  cluster::WeightClustering clustering({.clusters = 8, .preserve_sparsity = true});  // finds them
  quantize::QuantizationAware aware({.per_channel = false});
  training::fit(model, *start.train, fit_options(start, "PCQAT", 2, 5e-4f), {&clustering, &aware});
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
  prune::UnitPruner pruner({.schedule = prune::polynomial_sparsity({.final = 0.5f, .end = 0.5f}),
                            .frequency_steps = 50});
  training::fit(model, *start.train, fit_options(start, "filters", 4, 5e-3f), {&pruner});
  pruner.bake();
  prune::remove_zero_units(model, start.train->image_shape());
  return floats(model, start);
}

Outcome four_bits(const Start& start) {
  Sequential model = start.trained_model();
  prune(model, start, pruning(0.8f));
  return quantization_aware(model, start, 4, 2);
}

}  // namespace

Sequential train_baseline(const Start& start, int epochs) {
  Sequential model = start.new_model();
  training::fit(model, *start.train,
                {.epochs = epochs,
                 .batch_size = 32,
                 .learning_rate = 1e-3f,
                 .seed = start.seed,
                 .label = "baseline",
                 .quiet = start.quiet});
  return model;
}

const std::vector<Experiment>& experiments() {
  static const std::vector<Experiment> all = {
      {.name = "prune 80 %",
       .theirs = "3.04x, 97.4 %",
       .must_shrink = 3,
       .deflate_to_deflate = true,
       .must_accuracy = 0.975,
       .run = prune_80},
      {.name = "prune 80 % + int8",
       .theirs = "9.5x",
       .must_shrink = 12,
       .must_accuracy = 0.974,
       .run = prune_80_int8},
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
       .run = aware_one_epoch},
      {.name = "PCQAT: prune 50 %, cluster 8",
       .theirs = "no number",
       .must_shrink = 14,
       .must_drop = 0.005,
       .run = prune_cluster_quantize},
      {.name = "2 of 4", .theirs = "no number", .must_drop = 0.003, .run = two_of_four},
      {.name = "half the filters", .theirs = "none", .must_drop = 0.005, .run = half_the_filters},
      {.name = "80 % zeros, 4 bits aware",
       .theirs = "none",
       .must_shrink = 16,
       .must_drop = 0.005,
       .run = four_bits},
  };
  return all;
}

}  // namespace espalier::apps
