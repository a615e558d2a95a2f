#include "compress/recipe/run_recipe.hpp"

#include <algorithm>

#include "compress/quantize/fold_batch_norm.hpp"
#include "compress/recipe/order.hpp"
#include "compress/recipe/promises.hpp"
#include "compress/recipe/stage_passes.hpp"
#include "compress/recipe/teacher.hpp"
#include "optim/training/fit.hpp"

namespace espalier::recipe {
namespace {

void train(Sequential& model, const datasets::Dataset& data, const Stage& stage,
           const StagePasses& passes, std::size_t index, const RunOptions& options) {
  training::FitOptions fit{.epochs = stage.epochs,
                           .batch_size = stage.batch_size,
                           .learning_rate = stage.learning_rate,
                           .schedule = schedule(stage),
                           .seed = options.seed + index,
                           .label = stage.name(),
                           .quiet = options.quiet,
                           .loss = loss_of(stage, data)};
  if (stage.optimizer != Stage().optimizer || stage.weight_decay > 0)
    fit.optimizer = optimizer_of(stage);
  const auto changes = changes_of(stage);
  if (!changes.empty())
    fit.epoch_data = [&, seed = fit.seed](int epoch) {
      const std::shared_ptr<const datasets::Dataset> borrowed(std::shared_ptr<void>(), &data);
      return std::make_shared<datasets::Augmentation>(
          borrowed, changes,
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
