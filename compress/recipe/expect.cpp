#include "compress/recipe/expect.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "compress/quantize/fold_batch_norm.hpp"
#include "compress/recipe/run_recipe.hpp"
#include "compress/recipe/stage_passes.hpp"
#include "compress/recipe/stage_training.hpp"
#include "optim/training/checkpoint.hpp"
#include "optim/training/training_bytes.hpp"

namespace espalier::recipe {
namespace {

using Clock = std::chrono::steady_clock;

// Of one step, after those in which kernels are made and memory is asked for: of a run of one step that
// one.
double step_seconds(Sequential& model, StageTraining& training, const StagePasses& passes,
                    std::int64_t steps) {
  constexpr std::int64_t kWarmUp = 2, kMany = 50;
  // Of many steps fewer milliseconds will do; the less, the more chance a busy machine has.
  constexpr std::chrono::milliseconds kLong(250), kLongForMany(50);
  std::int64_t done = 0;
  Clock::time_point start = Clock::now(), last = start;
  const std::int64_t warm_up = std::min(kWarmUp, steps - 1);
  training.fit.quiet = true;
  training.fit.warn = warn_nobody;
  training.fit.watch.reset();  // that may end a run before a step was timed
  training.fit.stop_when = [&] {
    last = Clock::now();
    if (++done == warm_up) start = last;
    return done == steps ||
           (done > warm_up && last - start >= (done - warm_up < kMany ? kLong : kLongForMany));
  };
  training::fit(model, *training.data, training.fit, passes.riding());
  return std::chrono::duration<double>(last - start).count() / static_cast<double>(done - warm_up);
}

// How many steps of each stage are done. One that stopped early has fewer than it might have had: what
// comes after it tells.
std::vector<std::int64_t> steps_done(const Recipe& recipe, const std::filesystem::path& folder) {
  std::vector<std::int64_t> done(recipe.stages.size(), 0);
  if (folder.empty()) return done;
  bool is_past = false;
  for (std::size_t i = done.size(); i-- > 0;) {
    const auto file = folder / checkpoint_name(i);
    const bool there = std::filesystem::exists(file);
    if (is_past)
      done[i] = std::numeric_limits<std::int64_t>::max();
    else if (there)
      done[i] = training::steps_done(file);
    is_past = is_past || there;
  }
  return done;
}

}  // namespace

Expected expect(const std::function<Sequential()>& model, const datasets::Dataset& data,
                const Recipe& recipe, const std::filesystem::path& checkpoints, int parts) {
  Expected all;
  const auto done = steps_done(recipe, checkpoints);
  for (std::size_t i = 0; i < recipe.stages.size(); ++i) {
    if (recipe.stages[i].epochs == 0) continue;
    Stage stage = with_steps(recipe.stages[i], data.size());
    stage.cluster.reset();  // its clusters take a while to find
    Sequential copy = model();
    for (std::size_t before = 0; before <= i; ++before)
      if (recipe.folds_batch_norm(before)) quantize::fold_batch_norm(copy);
    all.training_bytes =
        std::max(all.training_bytes,
                 training::training_bytes(
                     copy, data.image_shape(),
                     {.batch_size = std::min(stage.batch_size, data.size()),
                      .transformed = stage.quantize || stage.rate || stage.prune || stage.units,
                      .parts = batch_parts(stage, parts)}));
    StageTraining training = training_of(stage, data, i, 1);
    training.fit.parts = batch_parts(stage, parts);
    const std::int64_t images = training.data->size(),
                       batches = (images + stage.batch_size - 1) / stage.batch_size;
    const StagePasses passes(stage, kept_zeros(recipe, i), warn_nobody);
    const std::int64_t steps = batches * stage.epochs, left = steps - std::min(steps, done[i]);
    if (left == 0) continue;
    all.seconds += static_cast<double>(left) * step_seconds(copy, training, passes, steps);
    all.may_end_early = all.may_end_early || stage.early_stop > 0;
  }
  return all;
}

}  // namespace espalier::recipe
