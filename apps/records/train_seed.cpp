#include "apps/records/train_seed.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "apps/records/teacher.hpp"
#include "compress/descent/level_descent.hpp"
#include "compress/format/reader.hpp"
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
namespace {

constexpr std::int64_t kValidation = 5000;

}  // namespace

double error_of(const Bytes& file, const datasets::Dataset& images) {
  const runtime::Model model(format::read(file, "the trained model"));
  constexpr std::int64_t kBatch = 100;
  runtime::Session session(model, {.batch = kBatch});
  std::int64_t right = 0;
  datasets::for_each_batch(images, images.size(), kBatch, [&](const datasets::Batch& batch) {
    const auto answers = argmax_rows(session.run(batch.images), session.classes());
    for (std::size_t i = 0; i < answers.size(); ++i) right += answers[i] == batch.labels[i];
  });
  return 1 - static_cast<double>(right) / static_cast<double>(images.size());
}

namespace {

struct Images {
  std::shared_ptr<const datasets::Dataset> train, validation;
};

Images split(const datasets::TrainTest& data) {
  const std::int64_t count = data.train->size() - kValidation;
  require(count > 0, "records", "wants more than ", kValidation, " training images, got ",
          data.train->size());
  std::vector<std::int64_t> rest(static_cast<std::size_t>(kValidation));
  std::iota(rest.begin(), rest.end(), count);
  return {datasets::first(data.train, count), std::make_shared<datasets::Subset>(data.train, rest)};
}

std::shared_ptr<const datasets::Dataset> shifted(const Row& row, std::uint64_t seed,
                                                 std::shared_ptr<const datasets::Dataset> images,
                                                 std::uint64_t epoch) {
  return std::make_shared<datasets::ShiftAugmentation>(
      std::move(images),
      datasets::ShiftOptions{.max_shift_pixels = row.shift_pixels, .seed = seed, .epoch = epoch});
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

format::PackedModel train(const Row& row, std::uint64_t seed, const Images& images,
                          training::Distillation* teacher) {
  Sequential model = row_model(row, seed);
  rate::RatePenalty penalty(row.rate);
  training::FitOptions fit{.epochs = row.epochs,
                           .batch_size = row.batch_size,
                           .learning_rate = row.rate.learning_rate,
                           .schedule = row.rate.schedule,
                           .seed = seed,
                           .label = row.name,
                           .epoch_data =
                               [&](int epoch) {
                                 return shifted(row, seed, images.train,
                                                static_cast<std::uint64_t>(epoch));
                               },
                           .on_epoch_end =
                               [&](const training::EpochReport& report) {
                                 if (report.epoch % 5 == 0) show_code_length(penalty);
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

// The loss that was trained, on images that no epoch of training showed in these places.
void descend(format::PackedModel& model, const Row& row, std::uint64_t seed, const Images& images,
             training::Distillation& teacher) {
  constexpr std::uint64_t kAfterAllEpochs = 1'000'000;
  const auto data = shifted(row, seed, images.train, kAfterAllEpochs);
  std::vector<std::int64_t> chosen(
      static_cast<std::size_t>(std::min(row.descent_images, data->size())));
  std::iota(chosen.begin(), chosen.end(), 0);
  const auto batch = datasets::collate(*data, chosen);
  const std::int64_t classes = data->classes();
  const Tensor softened = row.teacher.weight > 0 ? teacher.softened(batch.images, classes)
                                                 : Tensor({batch.images.shape()[0], classes});
  const auto report = descent::descend(
      model, batch.images,
      [&](std::int64_t n, std::span<const float> logits) {
        const auto i = static_cast<std::size_t>(n);
        return teacher.image_loss(logits, batch.labels[i],
                                  softened.values().subspan(i * logits.size(), logits.size()));
      },
      {.lambda = double{row.rate.lambda}, .rounds = row.descent_rounds, .seed = seed});
  std::fprintf(stderr, "    descent: loss %.5f to %.5f, %.0f B to %.0f B, %lld of %lld changes\n",
               report.loss_before, report.loss_after, report.bits_before / 8, report.bits_after / 8,
               static_cast<long long>(report.changed), static_cast<long long>(report.tried));
}

// The scale of the logits changes no decision and costs up to two bytes.
Bytes finished(format::PackedModel model) {
  model.layers.back().weight.scales = {1.0f};
  pack::remove_dead_units(model);
  pack::sort_units(model);
  return format::write(model);
}

}  // namespace

Trained train_seed(const Row& row, std::uint64_t seed, const datasets::TrainTest& data,
                   const std::filesystem::path& trained_file,
                   const std::filesystem::path& teacher_file) {
  const auto start = std::chrono::steady_clock::now();
  const Images images = split(data);
  std::optional<Sequential> knows;
  if (row.teacher.weight > 0) knows = teacher(teacher_file, images.train);
  training::Distillation distillation(
      [&](const Tensor& x) { return (*knows)(Variable(x)).value(); }, row.teacher);
  format::PackedModel model;
  if (std::filesystem::exists(trained_file)) {
    model = format::read(read_file(trained_file), trained_file.string());
  } else {
    model = train(row, seed, images, row.teacher.weight > 0 ? &distillation : nullptr);
    write_file(trained_file, format::write(model));
  }
  Trained trained;
  SeedResult& r = trained.result;
  trained.file = finished(model);
  r.trained_bytes = std::ssize(trained.file);
  r.trained_validation_error = error_of(trained.file, *images.validation);
  if (row.descent_images > 0) {
    descend(model, row, seed, images, distillation);
    trained.file = finished(model);
  }
  r.seed = seed;
  r.bytes = std::ssize(trained.file);
  for (const auto& layer : format::read(trained.file, "the trained model").layers)
    r.nonzeros += std::ranges::count_if(layer.weight.levels, [](auto q) { return q != 0; });
  r.validation_error = error_of(trained.file, *images.validation);
  r.test_error = -1;
  r.minutes = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 60;
  return trained;
}

}  // namespace espalier::apps
