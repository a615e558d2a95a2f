#include "compress/recipe/run_recipe.hpp"

#include <algorithm>
#include <cmath>

#include "compress/quantize/fold_batch_norm.hpp"
#include "compress/recipe/order.hpp"
#include "compress/recipe/promises.hpp"
#include "compress/recipe/stage_passes.hpp"
#include "compress/recipe/teacher.hpp"
#include "datasets/subset.hpp"
#include "optim/training/fit.hpp"

namespace espalier::recipe {
namespace {

// Of the training images: what a stage trains on, and what it watches.
datasets::Split parts_of(const datasets::Dataset& data, const Stage& stage, std::uint64_t seed) {
  std::shared_ptr<const datasets::Dataset> borrowed(std::shared_ptr<void>(), &data);
  if (!stage.watches()) return {nullptr, borrowed};
  const auto count = static_cast<std::int64_t>(
      std::lround(double{stage.validation} * static_cast<double>(data.size())));
  require(0 < count && count < data.size(), "validation", "a share of ", stage.validation, " of ",
          data.size(), " training images is ", count, "; some must be on either side");
  Rng rng(seed, "validation");
  return datasets::split(borrowed, count, rng);
}

// Pruning's steps, where the recipe leaves them to the run's length.
void settle_steps(Stage& stage, std::int64_t images) {
  if (stage.watches())
    images -= static_cast<std::int64_t>(
        std::lround(double{stage.validation} * static_cast<double>(images)));
  const std::int64_t batches = (images + stage.batch_size - 1) / stage.batch_size;
  for (Target* target :
       {stage.prune ? &stage.prune->target : nullptr, stage.units ? &stage.units->target : nullptr})
    if (target) *target = target->for_run(batches * stage.epochs);
}

void train(Sequential& model, const datasets::Dataset& all, const Stage& stage,
           const StagePasses& passes, std::size_t index, const RunOptions& options) {
  const auto [validation, own] = parts_of(all, stage, options.seed);
  const datasets::Dataset& data = *own;
  training::FitOptions fit{.epochs = stage.epochs,
                           .batch_size = stage.batch_size,
                           .learning_rate = stage.learning_rate,
                           .schedule = schedule(stage),
                           .seed = options.seed + index,
                           .label = stage.name(),
                           .quiet = options.quiet,
                           .loss = loss_of(stage, data),
                           .validation = validation.get()};
  if (stage.watches())
    fit.watch = {
        .stop_after = stage.early_stop,
        .drop_after = stage.schedule == LearningSchedule::kPlateau ? stage.plateau_epochs : 0,
        .drop_factor = stage.plateau_factor};
  if (options.on_epoch)
    fit.on_epoch_end = [&](const training::EpochReport& report) {
      options.on_epoch({index, stage, model}, report);
      return true;
    };
  if (stage.optimizer != Stage().optimizer || stage.weight_decay > 0)
    fit.optimizer = optimizer_of(stage);
  const auto changes = changes_of(stage);
  if (!changes.empty())
    fit.epoch_data = [&, seed = fit.seed](int epoch) {
      return std::make_shared<datasets::Augmentation>(
          own, changes,
          datasets::AugmentationOptions{.seed = seed, .epoch = static_cast<std::uint64_t>(epoch)});
    };
  if (!options.checkpoints.empty())
    fit.checkpoint = options.checkpoints / ("stage-" + std::to_string(index) + ".checkpoint");
  training::fit(model, data, fit, passes.riding());
}

void at_once(Sequential& model, const datasets::Dataset& data, const Stage& stage,
             const StagePasses& passes) {
  for (training::Pass* pass : passes.riding()) {
    pass->attach(model);
    if (pass != passes.quantize()) pass->step({.step = 0, .total_steps = 1});
  }
  if (passes.quantize())
    passes.quantize()->calibrate(data, std::min(stage.quantize->calibration_images, data.size()));
}

}  // namespace

std::optional<quantize::IntegerNetwork> run_recipe(Sequential& model, const datasets::Dataset& data,
                                                   const Recipe& recipe,
                                                   const RunOptions& options) {
  check_order(recipe, "recipe");
  for (const Stage& stage : recipe.stages) {
    if (stage.quantize || stage.rate) quantize::require_quantizable(model);
    check_names(stage, model);
    if (stage.distill) load_teacher(*stage.distill, data);  // or refuses
  }
  std::optional<quantize::IntegerNetwork> network;
  for (std::size_t i = 0; i < recipe.stages.size(); ++i) {
    Stage stage = recipe.stages[i];
    if (stage.epochs > 0) settle_steps(stage, data.size());
    if (recipe.folds_batch_norm(i)) quantize::fold_batch_norm(model);
    if (stage.prune && stage.prune->allocation == Sharing::kSensitivity)
      share_by_sensitivity(*stage.prune, model, data, options.quiet);
    StagePasses passes(stage, kept_zeros(recipe, i),
                       options.quiet ? Warn(warn_nobody) : Warn(warn_on_standard_error));
    if (stage.epochs > 0)
      train(model, data, stage, passes, i, options);
    else
      at_once(model, data, stage, passes);
    passes.bake(model, data.image_shape());
    if (passes.network()) network = *passes.network();
    check_promises(model, network ? &*network : nullptr, recipe, i);
    if (options.on_stage) options.on_stage({i, stage, model, network ? &*network : nullptr});
  }
  return network;
}

}  // namespace espalier::recipe
