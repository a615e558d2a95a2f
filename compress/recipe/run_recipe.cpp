#include "compress/recipe/run_recipe.hpp"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "compress/quantize/fold_batch_norm.hpp"
#include "compress/recipe/order.hpp"
#include "compress/recipe/promises.hpp"
#include "compress/recipe/stage_passes.hpp"
#include "compress/recipe/stage_training.hpp"
#include "compress/recipe/teacher.hpp"
#include "core/base/text.hpp"
#include "optim/training/chance.hpp"
#include "optim/training/fit.hpp"

namespace espalier::recipe {
namespace {

std::string shown(double loss) {
  std::ostringstream text;
  text << std::setprecision(4) << loss;
  return text.str();
}

// What a run that has learned nothing loses, or more. Of numbers always the mean: their variance, in
// the unit that they have. Of classes guessing, ln(classes); a run of many steps ends at the classes'
// shares at least. -1 where the loss is far below that.
double loss_of_nothing(const datasets::Dataset& data, double loss, std::int64_t steps) {
  constexpr std::int64_t kMany = 200;
  if (data.has_targets()) return training::variance_of_targets(data);
  const double guessing = std::log(static_cast<double>(data.classes()));
  if (loss < guessing / 2) return -1;  // spares a look at every label
  return steps < kMany ? guessing : training::loss_of_chance(data);
}

// A loss as of nothing learned, and answers at chance. A pass may cost much on its way; twice as much is
// no pass's. The mean over an epoch tells of its first steps, too: of numbers the loss is taken again.
void require_learned(Sequential& model, const training::EpochReport& last, const Stage& stage,
                     const datasets::Dataset& data) {
  constexpr std::int64_t kFirst = 50;  // after so few steps a loss says nothing yet
  const std::int64_t steps = (data.size() + stage.batch_size - 1) / stage.batch_size * last.epoch;
  if (stage.distill || steps < kFirst) return;
  const double nothing = loss_of_nothing(data, last.loss, steps);
  const double most = stage.name() == "train" ? nothing : 2 * nothing;
  if (nothing <= 0 || last.loss < most) return;
  if (!data.has_targets() && !training::is_at_chance(last.accuracy, data)) return;
  const double loss = data.has_targets() ? training::evaluate(model, data).loss : last.loss;
  if (loss < most) return;
  fail(ErrorKind::kDiverged, stage.name(), "nothing was learned: after ", last.epoch,
       last.epoch == 1 ? " epoch" : " epochs", " the loss is ", shown(loss), ", where ",
       data.has_targets() ? "always saying the mean" : "one answer to all", " gives ",
       shown(nothing), data.has_targets() ? "" : ", and the accuracy " + percent(last.accuracy),
       "; lower the learning rate (it is ", stage.learning_rate,
       "; a tenth of it is worth a try), or raise it if it is far too small",
       data.has_targets() && nothing > 100 ? ", or divide the targets by their deviation" : "");
}

void train(Sequential& model, const datasets::Dataset& all, const Stage& stage,
           const StagePasses& passes, std::size_t index, const RunOptions& options) {
  auto [data, validation, fit] = training_of(stage, all, index, options.seed);
  fit.label = stage.name();
  fit.parts = batch_parts(stage, options.parts);
  fit.quiet = options.quiet;
  fit.warn = options.warn;
  if (options.on_epoch)
    fit.on_epoch_end = [&](const training::EpochReport& report) {
      options.on_epoch({index, stage, model}, report);
      return true;
    };
  const std::string file = checkpoint_name(index);
  if (!options.checkpoints.empty())
    fit.checkpoint = options.checkpoints / file;
  else if (options.last_states)
    fit.last_state = &(*options.last_states)[file];
  const auto reports = training::fit(model, *data, fit, passes.riding());
  if (!reports.empty() && !stage.watches()) require_learned(model, reports.back(), stage, *data);
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

std::string checkpoint_name(std::size_t stage) {
  return "stage-" + std::to_string(stage) + ".checkpoint";
}

std::optional<quantize::IntegerNetwork> run_recipe(Sequential& model, const datasets::Dataset& data,
                                                   const Recipe& recipe,
                                                   const RunOptions& options) {
  check_order(recipe, "recipe");
  for (const Stage& stage : recipe.stages) {
    if (stage.quantize || stage.rate) quantize::require_quantizable(model);
    check_names(stage, model);
    check_changes(stage, data.image_shape());
    if (stage.distill) load_teacher(*stage.distill, data);  // or refuses
  }
  std::optional<quantize::IntegerNetwork> network;
  for (std::size_t i = 0; i < recipe.stages.size(); ++i) {
    Stage stage = recipe.stages[i];
    if (stage.epochs > 0) stage = with_steps(std::move(stage), data.size());
    if (recipe.folds_batch_norm(i)) quantize::fold_batch_norm(model);
    if (stage.prune && stage.prune->allocation == Sharing::kSensitivity)
      share_by_sensitivity(*stage.prune, model, data, options.quiet);
    StagePasses passes(stage, kept_zeros(recipe, i), options.warn);
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
