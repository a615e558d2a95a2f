#include "compress/recipe/stage_training.hpp"

#include <cmath>

#include "compress/recipe/stage_passes.hpp"
#include "datasets/subset.hpp"

namespace espalier::recipe {
namespace {

std::int64_t watched(const Stage& stage, std::int64_t images) {
  return std::lround(double{stage.validation} * static_cast<double>(images));
}

// Of the training images: what a stage watches, and what it trains on.
datasets::Split parts_of(const datasets::Dataset& data, const Stage& stage, std::uint64_t seed) {
  std::shared_ptr<const datasets::Dataset> borrowed(std::shared_ptr<void>(), &data);
  if (!stage.watches()) return {nullptr, borrowed};
  const std::int64_t count = watched(stage, data.size());
  require(0 < count && count < data.size(), "validation", "a share of ", stage.validation, " of ",
          data.size(), " training images is ", count, "; some must be on either side");
  Rng rng(seed, "validation");
  return datasets::split(borrowed, count, rng);
}

}  // namespace

int batch_parts(const Stage& stage, int wanted) {
  return stage.quantize || stage.rate || stage.cluster || stage.distill ? 1 : wanted;
}

Stage with_steps(Stage stage, std::int64_t images) {
  if (stage.watches()) images -= watched(stage, images);
  const std::int64_t batches = (images + stage.batch_size - 1) / stage.batch_size;
  for (Target* target :
       {stage.prune ? &stage.prune->target : nullptr, stage.units ? &stage.units->target : nullptr})
    if (target) *target = target->for_run(batches * stage.epochs);
  return stage;
}

StageTraining training_of(const Stage& stage, const datasets::Dataset& all, std::size_t index,
                          std::uint64_t seed) {
  const auto [validation, data] = parts_of(all, stage, seed);
  training::FitOptions fit{.epochs = stage.epochs,
                           .batch_size = stage.batch_size,
                           .learning_rate = stage.learning_rate,
                           .schedule = schedule(stage),
                           .seed = seed + index,
                           .loss = loss_of(stage, *data),
                           .loss_of_parts = !stage.distill,
                           .validation = validation.get()};
  if (stage.watches())
    fit.watch = {
        .stop_after = stage.early_stop,
        .drop_after = stage.schedule == LearningSchedule::kPlateau ? stage.plateau_epochs : 0,
        .drop_factor = stage.plateau_factor};
  if (stage.optimizer != Stage().optimizer || stage.weight_decay > 0)
    fit.optimizer = optimizer_of(stage);
  if (const auto changes = changes_of(stage); !changes.empty())
    fit.epoch_data = [data = data, changes, seed = fit.seed](int epoch) {
      return std::make_shared<datasets::Augmentation>(
          data, changes,
          datasets::AugmentationOptions{.seed = seed, .epoch = static_cast<std::uint64_t>(epoch)});
    };
  return {data, validation, std::move(fit)};
}

}  // namespace espalier::recipe
