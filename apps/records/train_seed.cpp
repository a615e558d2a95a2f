#include "apps/records/train_seed.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "apps/records/teacher.hpp"
#include "compress/format/reader.hpp"
#include "compress/format/writer.hpp"
#include "compress/pack/hidden_units.hpp"
#include "compress/pack/pack.hpp"
#include "compress/runtime/session.hpp"
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

Trained train_seed(const Row& row, std::uint64_t seed, const datasets::TrainTest& data,
                   bool look_at_test, const std::filesystem::path& teacher_file) {
  const auto start = std::chrono::steady_clock::now();
  const std::int64_t count = data.train->size() - kValidation;
  require(count > 0, "records", "wants more than ", kValidation, " training images, got ",
          data.train->size());
  const auto train = datasets::first(data.train, count);
  std::vector<std::int64_t> rest(static_cast<std::size_t>(kValidation));
  std::iota(rest.begin(), rest.end(), count);
  const datasets::Subset validation(data.train, rest);

  std::optional<Sequential> knows;
  if (row.teacher.weight > 0) knows = teacher(teacher_file, train);
  training::Distillation distillation(
      [&](const Tensor& images) { return (*knows)(Variable(images)).value(); }, row.teacher);
  Sequential model = row_model(row, seed);
  rate::RatePenalty penalty(row.rate);
  const training::FitOptions fit{
      .epochs = row.epochs,
      .batch_size = row.batch_size,
      .learning_rate = row.rate.learning_rate,
      .schedule = row.rate.schedule,
      .seed = seed,
      .label = row.name,
      .epoch_data =
          [&](int epoch) {
            return std::make_shared<datasets::ShiftAugmentation>(
                train, datasets::ShiftOptions{.max_shift_pixels = row.shift_pixels,
                                              .seed = seed,
                                              .epoch = static_cast<std::uint64_t>(epoch)});
          },
      .loss = row.teacher.weight > 0
                  ? [&](const Variable& logits,
                        const datasets::Batch& batch) { return distillation.loss(logits, batch); }
                  : decltype(training::FitOptions::loss)(),
      .on_epoch_end =
          [&](const training::EpochReport& report) {
            if (report.epoch % 5 == 0) {
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
            return true;
          }};
  training::fit(model, *train, fit, {&penalty});

  Trained trained;
  SeedResult& r = trained.result;
  for (const auto& code : penalty.code_length())
    r.nonzeros += code.nonzeros, r.level_bits += code.bits;
  penalty.bake();
  auto packed = pack::pack(penalty.network(), data.train->image_shape());
  for (auto& layer : packed.layers) layer.name.clear();
  packed.layers.back().weight.scales = {1.0f};  // of the logits: changes no decision
  pack::remove_dead_units(packed);
  pack::sort_units(packed);
  trained.file = format::write(packed);
  r.seed = seed;
  r.bytes = static_cast<std::int64_t>(trained.file.size());
  r.validation_error = error_of(trained.file, validation);
  r.test_error = look_at_test ? error_of(trained.file, *data.test) : -1;
  r.minutes = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 60;
  return trained;
}

}  // namespace espalier::apps
