#include "apps/smallest/train_smallest.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>

#include "apps/smallest/number_error.hpp"
#include "apps/smallest/teacher.hpp"
#include "compress/descent/level_descent.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/wiring.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/hidden_units.hpp"
#include "compress/pack/pack.hpp"
#include "compress/runtime/session.hpp"
#include "core/base/file.hpp"
#include "core/tensor/argmax.hpp"
#include "datasets/shift_augmentation.hpp"
#include "datasets/subset.hpp"
#include "optim/training/fit.hpp"

namespace espalier::apps {

double error_of(const Bytes& file, const datasets::Dataset& images) {
  constexpr std::int64_t kBatch = 100;
  runtime::Session session(runtime::Model(format::read(file, "the trained model")),
                           {.batch = kBatch});
  std::int64_t right = 0;
  datasets::for_each_batch(images, images.size(), kBatch, [&](const datasets::Batch& batch) {
    const auto answers = argmax_rows(session.run(batch.images), session.classes());
    for (std::size_t i = 0; i < answers.size(); ++i) right += answers[i] == batch.labels[i];
  });
  return 1 - static_cast<double>(right) / static_cast<double>(images.size());
}

double validation_error(const Bytes& file, const datasets::Dataset& data) {
  if (!data.has_targets()) return error_of(file, data);
  return 1 - number_scores(file, data, {.mean = 0, .deviation = 1}).r2();
}

Images split(const std::shared_ptr<const datasets::Dataset>& data, std::int64_t validation) {
  const std::int64_t count = data->size() - validation;
  require(count > 0, "split", "wants more than ", validation, " images, got ", data->size());
  std::vector<std::int64_t> rest(static_cast<std::size_t>(validation));
  std::iota(rest.begin(), rest.end(), count);
  return {datasets::first(data, count), std::make_shared<datasets::Subset>(data, rest)};
}

namespace {

std::shared_ptr<const datasets::Dataset> shifted(const Recipe& recipe, std::uint64_t seed,
                                                 std::shared_ptr<const datasets::Dataset> images,
                                                 std::uint64_t epoch) {
  const std::int64_t pixels = datasets::possible_shift(recipe.shift_pixels, images->image_shape());
  return std::make_shared<datasets::ShiftAugmentation>(
      std::move(images),
      datasets::ShiftOptions{
          .max_shift_pixels = pixels, .share = recipe.shift_share, .seed = seed, .epoch = epoch});
}

void show_code_length(const rate::RatePenalty& penalty) {
  std::string line = "   ";
  double all = 0;
  for (const auto& code : penalty.code_length()) {
    char text[100];
    std::snprintf(text, sizeof text, " %s %lld/%.0fb", code.name.c_str(),
                  static_cast<long long>(code.nonzeros), code.bits);
    line += text;
    all += code.bits;
  }
  std::fprintf(stderr, "%s = %.0f B\n", line.c_str(), all / 8);
}

format::PackedModel train(const Recipe& recipe, const Images& images,
                          training::Distillation* teacher, const TrainOptions& options) {
  Rng rng(options.seed, "init");
  const NetworkKind kind = recipe.model_json.empty()
                               ? network_kind(recipe.network)
                               : network_of_json(recipe.network, recipe.model_json);
  Sequential model = make_network(kind, recipe.widths, task_of(*images.train), rng);
  rate::RatePenalty penalty(recipe.rate);
  training::FitOptions fit{.epochs = recipe.epochs,
                           .batch_size = recipe.batch_size,
                           .learning_rate = recipe.rate.learning_rate,
                           .schedule = recipe.rate.schedule,
                           .seed = options.seed,
                           .label = options.label,
                           .quiet = options.quiet,
                           .epoch_data =
                               [&](int epoch) {
                                 return shifted(recipe, options.seed, images.train,
                                                static_cast<std::uint64_t>(epoch));
                               },
                           .on_epoch_end =
                               [&](const training::EpochReport& report) {
                                 if (report.epoch % 5 == 0 && !options.quiet)
                                   show_code_length(penalty);
                                 return true;
                               }};
  if (teacher)
    fit.loss = [&](const Variable& logits, const datasets::Batch& batch) {
      return teacher->loss(logits, batch);
    };
  training::fit(model, *images.train, fit, {&penalty});
  penalty.bake();
  auto packed = pack::pack(penalty.network(), images.train->image_shape());
  for (auto& layer : packed.layers) layer.name.clear();
  pack::remove_dead_units(packed);
  pack::sort_units(packed);
  return packed;
}

// By the loss that was trained, on images that no epoch of training showed in these places.
void descend(format::PackedModel& model, const Recipe& recipe, const Images& images,
             training::Distillation* teacher, const TrainOptions& options) {
  constexpr std::uint64_t kAfterAllEpochs = 1'000'000;
  const auto data = shifted(recipe, options.seed, images.train, kAfterAllEpochs);
  std::vector<std::int64_t> chosen(
      static_cast<std::size_t>(std::min(recipe.descent_images, data->size())));
  std::iota(chosen.begin(), chosen.end(), 0);
  const auto batch = datasets::collate(*data, chosen);
  const std::int64_t classes = data->classes();
  const auto of_number = [&](std::int64_t n, std::span<const float> outputs) {
    const double wrong = double{outputs[0]} - double{batch.targets[static_cast<std::size_t>(n)]};
    return wrong * wrong;
  };
  training::Distillation::Options weighed = recipe.teacher;
  weighed.weight = teacher ? recipe.descent_teacher.value_or(weighed.weight) : 0;
  const training::Distillation rule([](const Tensor& x) { return x; }, weighed);  // never asked
  const Tensor softened = teacher ? teacher->softened(batch.images, classes)
                                  : Tensor({batch.images.shape()[0], classes});
  const auto loss = [&](std::int64_t n, std::span<const float> logits) {
    if (data->has_targets()) return of_number(n, logits);
    const auto i = static_cast<std::size_t>(n);
    return rule.image_loss(logits, batch.labels[i],
                           softened.values().subspan(i * logits.size(), logits.size()));
  };
  const auto report =
      descent::descend(model, batch.images, loss,
                       {.lambda = double{recipe.descent_lambda.value_or(recipe.rate.lambda)},
                        .rounds = recipe.descent_rounds,
                        .growing_rounds = recipe.descent_growing_rounds,
                        .seed = options.seed,
                        .quiet = options.quiet});
  if (!options.quiet)
    std::fprintf(stderr, "    descent: loss %.5f to %.5f, %.0f B to %.0f B, %lld of %lld changes\n",
                 report.loss_before, report.loss_after, report.bits_before / 8,
                 report.bits_after / 8, static_cast<long long>(report.changed),
                 static_cast<long long>(report.tried));
}

// The scale of logits changes no decision and costs up to two bytes; a number's is its value.
Bytes finished(format::PackedModel model, bool numbers) {
  if (!numbers) model.layers.back().weight.scales = {1.0f};
  pack::remove_dead_units(model);
  pack::sort_units(model);
  return format::write(model);
}

}  // namespace

Trained train_smallest(const Recipe& recipe, const Images& images, training::Distillation* teacher,
                       const TrainOptions& options) {
  using Clock = std::chrono::steady_clock;
  using Minutes = std::chrono::duration<double, std::ratio<60>>;
  const auto start = Clock::now();
  format::PackedModel model;
  const auto& kept = options.trained_file;
  if (!kept.empty() && std::filesystem::exists(kept)) {
    model = format::read(read_file(kept), kept.string());
  } else {
    model = train(recipe, images, teacher, options);
    if (!kept.empty()) write_file(kept, format::write(model));
  }
  const auto trained = Clock::now();
  Trained result;
  const bool numbers = images.train->has_targets();
  result.file = finished(model, numbers);
  result.trained_bytes = std::ssize(result.file);
  result.validation_error = result.trained_validation_error =
      validation_error(result.file, *images.validation);
  // Descent follows chains alone (compress/descent/incremental_network.hpp).
  if (recipe.descent_images > 0 && !format::has_branches(model)) {
    descend(model, recipe, images, teacher, options);
    result.file = finished(model, numbers);
    result.validation_error = validation_error(result.file, *images.validation);
  }
  for (const auto& layer : format::read(result.file, "the trained model").layers)
    result.nonzeros += std::ranges::count_if(layer.weight.levels, [](auto q) { return q != 0; });
  result.training_minutes = Minutes(trained - start).count();
  result.descent_minutes = Minutes(Clock::now() - trained).count();
  return result;
}

}  // namespace espalier::apps
