#include "compress/recipe/stage_passes.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "compress/prune/sensitivity.hpp"
#include "compress/recipe/teacher.hpp"

namespace espalier::recipe {

prune::Selection selection(const Select& select) {
  prune::Selection kind = select.which == Which::kWeightsAndBiases ? prune::weights_and_biases()
                          : select.which == Which::kConvolutionWeights
                              ? prune::convolution_weights()
                          : select.which == Which::kDenseWeights ? prune::dense_weights()
                                                                 : prune::weights();
  const prune::Selection these = prune::named(select.layers);
  return [kind, these, any = select.layers.empty(), least = select.min_values](
             const std::string& name, const Parameter& p) {
    return kind(name, p) && p.latent().shape().elements() >= least && (any || these(name, p));
  };
}

prune::SparsitySchedule schedule(const Target& t) {
  if (t.schedule == Curve::kConstant) return prune::constant_sparsity(t.sparsity, t.begin);
  return prune::polynomial_sparsity({.initial = t.initial,
                                     .final = t.sparsity,
                                     .begin = t.begin,
                                     .end = t.end,
                                     .power = t.power});
}

optim::Schedule schedule(const Stage& stage) {
  const optim::Schedule all = stage.schedule == LearningSchedule::kCosine ? optim::cosine()
                              : stage.schedule == LearningSchedule::kStep ? optim::step()
                                                                          : optim::constant();
  return stage.warm_up > 0 ? optim::warm_up(stage.warm_up, all) : all;
}

std::function<std::unique_ptr<optim::Optimizer>(std::vector<Variable>)> optimizer_of(
    const Stage& stage) {
  return [s = stage](std::vector<Variable> parameters) -> std::unique_ptr<optim::Optimizer> {
    if (s.optimizer == Optimizer::kSgd)
      return std::make_unique<optim::Sgd>(std::move(parameters),
                                          optim::Sgd::Options{.learning_rate = s.learning_rate,
                                                              .momentum = s.momentum,
                                                              .weight_decay = s.weight_decay,
                                                              .nesterov = s.nesterov});
    return std::make_unique<optim::Adam>(
        std::move(parameters),
        optim::Adam::Options{.learning_rate = s.learning_rate, .weight_decay = s.weight_decay});
  };
}

training::Loss loss_of(const Stage& stage, const datasets::Dataset& data) {
  require(!stage.distill || !data.has_targets(), "recipe",
          "distill is for classes; the data has numbers to predict");
  if (stage.distill) return distilled_loss(*stage.distill, data);
  if (data.has_targets()) {
    require(
        stage.label_smoothing == 0 && !stage.balanced_classes, "recipe",
        "label_smoothing and balanced_classes are for classes; the data has numbers to predict");
    return nullptr;
  }
  if (stage.label_smoothing == 0 && !stage.balanced_classes) return nullptr;
  return training::class_loss({.smoothing = stage.label_smoothing,
                               .class_weights = stage.balanced_classes
                                                    ? training::balanced_weights(data)
                                                    : std::vector<float>{}});
}

namespace {

// Of a target that no run has settled, as a stage without training has it.
std::int64_t frequency_of(const Target& t) {
  constexpr std::int64_t kAnyLongRun = 1 << 20;
  return t.for_run(kAnyLongRun).frequency_steps;
}

}  // namespace

prune::PrunerOptions options_of(const Prune& p) {
  prune::Structure structure = prune::Elements{};
  if (p.structure == Form::kBlocks) structure = p.blocks;
  if (p.structure == Form::kNofM) structure = p.n_of_m;
  prune::Allocation allocation = prune::Uniform{};
  if (p.allocation == Sharing::kErk) allocation = prune::Erk{};
  if (p.allocation == Sharing::kGlobal) allocation = prune::Global{};
  if (p.allocation == Sharing::kPerLayer || p.allocation == Sharing::kSensitivity)
    allocation = prune::PerLayer{p.sparsities};
  return {.schedule = schedule(p.target),
          .frequency_steps = frequency_of(p.target),
          .select = selection(p.select),
          .criterion = p.criterion,
          .structure = structure,
          .allocation = allocation,
          .gradient = p.gradient,
          .clear_moments = p.clear_moments,
          .seed = p.seed};
}

void share_by_sensitivity(Prune& p, Sequential& model, const datasets::Dataset& data, bool quiet) {
  const auto measured = prune::sensitivity(model, data,
                                           {.select = selection(p.select),
                                            .structure = options_of(p).structure,
                                            .images = p.sensitivity_images,
                                            .seed = p.seed,
                                            .quiet = quiet});
  p.sparsities = prune::share_by_sensitivity(measured, double{p.target.sparsity}).sparsity;
}

prune::UnitPruner::Options options_of(const Units& u) {
  return {.schedule = schedule(u.target),
          .frequency_steps = frequency_of(u.target),
          .select = selection(u.select),
          .global = u.global};
}

cluster::WeightClustering::Options options_of(const Cluster& c) {
  return {.clusters = c.clusters,
          .init = c.init,
          .gradient = c.gradient,
          .per_channel = c.per_channel,
          .preserve_sparsity = c.preserve_sparsity,
          .bit_price = c.bit_price,
          .learning_rate = c.learning_rate,
          .select = selection(c.select),
          .seed = c.seed};
}

quantize::QuantizationAware::Options options_of(const Quantize& q) {
  return {.weight_bits = q.weight_bits,
          .layer_bits = q.layer_bits,
          .float_layers = q.float_layers,
          .weights = q.weights,
          .per_channel = q.per_channel,
          .learned_step = q.learned_step,
          .step_learning_rate = q.step_learning_rate,
          .learned_activation_step = q.learned_activation_step,
          .activation_step_learning_rate = q.activation_step_learning_rate,
          .activation_bits = q.activation_bits,
          .layer_activation_bits = q.layer_activation_bits,
          .freeze_at = q.freeze_at,
          .observer = q.observer,
          .round_from = q.round_from,
          .scale_bits = q.scale_bits,
          .bias_correction = q.bias_correction};
}

rate::RatePenalty::Options rate_options_of(const Stage& stage) {
  const Rate& r = *stage.rate;
  return {.lambda = r.lambda,
          .learning_rate = stage.learning_rate,
          .schedule = schedule(stage),
          .max_level = r.max_level,
          .first_step = r.first_step,
          .middle_step = r.middle_step,
          .last_step = r.last_step,
          .step_learning_rate = r.step_learning_rate,
          .bias_step = r.bias_step,
          .bias_lambda = r.bias_lambda,
          .slope_floor_bits = r.slope_floor_bits,
          .float_until = r.float_until,
          .ramp_until = r.ramp_until,
          .activations_from = r.activations_from,
          .freeze_at = r.freeze_at,
          .scale_bits = r.scale_bits};
}

std::vector<datasets::Change> changes_of(const Stage& stage) {
  if (!stage.augment) return {};
  const Augment& a = *stage.augment;
  std::vector<datasets::Change> changes;
  if (a.flip > 0) changes.push_back(datasets::flip(a.flip));
  if (a.shift > 0) changes.push_back(datasets::shift(a.shift));
  if (a.rotate > 0) changes.push_back(datasets::rotate(a.rotate));
  if (a.scale_smallest < 1 || a.scale_largest > 1)
    changes.push_back(datasets::scale({a.scale_smallest, a.scale_largest}));
  if (a.crop < 1) changes.push_back(datasets::crop(a.crop));
  if (a.noise > 0) changes.push_back(datasets::noise(a.noise));
  if (a.cutout > 0) changes.push_back(datasets::cutout(a.cutout));
  return changes;
}

void check_changes(const Stage& stage, const Shape& example) {
  if (!stage.augment || example[0] > 1 || example[1] > 1) return;
  const auto changes = changes_of(stage);
  const auto moves = std::ranges::find_if(
      changes, [](const datasets::Change& change) { return change.name != "noise"; });
  if (moves == changes.end()) return;
  fail(stage.place.empty() ? ErrorKind::kUsage : ErrorKind::kCorrupt,
       (stage.place.empty() ? "recipe" : stage.place) + "/augment", moves->name,
       " is for pictures, and this data has rows of ", example[2],
       " numbers, of which none stands beside another; take it out (noise may stay)");
}

prune::Selection kept_zeros(const Recipe& recipe, std::size_t index) {
  std::vector<prune::Selection> pruned;
  for (std::size_t i = 0; i < index; ++i)
    if (recipe.stages[i].prune) pruned.push_back(selection(recipe.stages[i].prune->select));
  if (pruned.empty()) return nullptr;
  return [pruned](const std::string& name, const Parameter& p) {
    return std::ranges::any_of(pruned, [&](const auto& selects) { return selects(name, p); });
  };
}

template <class P, class... Arguments>
P* StagePasses::add(Arguments&&... arguments) {
  auto pass = std::make_unique<P>(std::forward<Arguments>(arguments)...);
  P* raw = pass.get();
  passes_.push_back(std::move(pass));
  return raw;
}

StagePasses::StagePasses(const Stage& stage, const prune::Selection& zeros, const Warn& warn)
    : units_(stage.units.has_value()) {
  if (zeros) add<prune::KeepZeros>(zeros);
  if (stage.prune) {
    prune::PrunerOptions options = options_of(*stage.prune);
    options.warn = warn;
    add<prune::Pruner>(options);
  }
  if (stage.units) {
    prune::UnitPruner::Options options = options_of(*stage.units);
    options.warn = warn;
    add<prune::UnitPruner>(options);
  }
  if (stage.cluster) add<cluster::WeightClustering>(options_of(*stage.cluster));
  if (stage.quantize) {
    quantize::QuantizationAware::Options options = options_of(*stage.quantize);
    options.warn = warn;
    quantize_ = add<quantize::QuantizationAware>(options);
  }
  if (stage.rate) rate_ = add<rate::RatePenalty>(rate_options_of(stage));
}

std::vector<training::Pass*> StagePasses::riding() const {
  std::vector<training::Pass*> all;
  for (const auto& pass : passes_) all.push_back(pass.get());
  return all;
}

void StagePasses::bake(Sequential& model, const Shape& input) {
  for (const auto& pass : passes_ | std::views::reverse) pass->bake();
  if (units_) prune::remove_zero_units(model, input);
}

const quantize::IntegerNetwork* StagePasses::network() const {
  return quantize_ ? &quantize_->network() : rate_ ? &rate_->network() : nullptr;
}

}  // namespace espalier::recipe
