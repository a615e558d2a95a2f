#include "apps/toolbox/steps.hpp"

#include <algorithm>

#include "compress/pack/pack.hpp"
#include "compress/prune/keep_zeros.hpp"
#include "compress/quantize/quantization_aware.hpp"

namespace espalier::apps {

training::FitOptions fit_options(const Start& start, const char* label, int epochs, float rate) {
  return {.epochs = epochs,
          .batch_size = 128,
          .learning_rate = rate,
          .schedule = optim::cosine(),
          .seed = start.seed + 1,
          .label = label,
          .quiet = start.quiet};
}

Sequential train_baseline(const Start& start, const BaselineOptions& options) {
  Sequential model = start.new_model();
  training::fit(model, *start.train,
                {.epochs = options.epochs,
                 .batch_size = options.batch_size,
                 .learning_rate = start.rates.baseline,
                 .schedule = options.schedule,
                 .seed = start.seed,
                 .label = "baseline",
                 .quiet = start.quiet});
  return model;
}

Outcome floats(Sequential& model, const Start& start) {
  return {pack::pack(model, start.train->image_shape()), pack::deflate_bytes(model)};
}

prune::PrunerOptions pruning(float sparsity) {
  return {.schedule = prune::polynomial_sparsity(
              {.initial = std::min(0.5f, sparsity), .final = sparsity, .end = 0.5f}),
          .frequency_steps = 20,
          .select = prune::weights_from(1000)};
}

void prune(Sequential& model, const Start& start, const prune::PrunerOptions& options, int epochs) {
  prune::PrunerOptions heard = options;
  if (start.quiet) heard.warn = warn_nobody;
  prune::Pruner pruner(heard);
  training::fit(model, *start.train, fit_options(start, "pruning", epochs, start.rates.pruning),
                {&pruner});
  pruner.bake();
}

void cluster(Sequential& model, const Start& start,
             const cluster::WeightClustering::Options& options) {
  cluster::WeightClustering clustering(options);
  training::fit(model, *start.train, fit_options(start, "clustering", 2, start.rates.quantizing),
                {&clustering});
  clustering.bake();
}

Outcome integers_after_training(Sequential& model, const Start& start,
                                const CalibrationOptions& options) {
  quantize::QuantizationAware pass(
      {.per_channel = options.per_channel, .observer = quantize::ObserverKind::kMinMax});
  pass.attach(model);
  pass.calibrate(*start.train, std::min(options.images, start.train->size()));
  pass.bake();
  return {pack::pack(pass.network(), start.train->image_shape()), pack::deflate_bytes(model)};
}

Outcome quantization_aware(Sequential& model, const Start& start, const AwareOptions& options) {
  prune::KeepZeros zeros;
  quantize::QuantizationAware aware({.weight_bits = options.bits});
  training::fit(model, *start.train,
                fit_options(start, "quantization-aware", options.epochs, start.rates.quantizing),
                {&zeros, &aware});
  aware.bake();
  zeros.bake();
  return {pack::pack(aware.network(), start.train->image_shape()), pack::deflate_bytes(model)};
}

}  // namespace espalier::apps
