#include "apps/tutorial/stage.hpp"

#include "compress/runtime/compare.hpp"
#include "compress/runtime/costs.hpp"
#include "compress/runtime/session.hpp"
#include "compress/runtime/stages.hpp"
#include "core/autograd/variable.hpp"
#include "core/base/interrupt.hpp"
#include "core/base/progress.hpp"
#include "core/tensor/argmax.hpp"

namespace espalier::apps {

void measure(Stage& stage, const datasets::Dataset& test, int threads,
             const std::function<Tensor(const Tensor&)>& trainer_logits) {
  stage.file_bytes = std::filesystem::file_size(stage.file);
  const auto file = runtime::Model::load(stage.file);
  stage.peak_bytes = runtime::peak_activation_bytes(file.packed());
  runtime::Session one(file);
  stage.latency_us = runtime::latency_us(one);
  constexpr std::int64_t kBatch = 100;
  runtime::Session session(file, {.batch = kBatch, .threads = threads});
  const bool exact = runtime::is_exact(file.packed());
  const NoGradient guard;
  Progress progress("compare " + stage.name, test.size(), "images");
  std::int64_t right = 0;
  std::int64_t seen = 0;
  datasets::for_each_batch(test, test.size(), kBatch, [&](const datasets::Batch& batch) {
    const auto ours = session.run(batch.images);
    const Tensor trainer = trainer_logits(batch.images);
    stage.differing_logits +=
        runtime::differing_logits(ours, trainer.values(), session.classes(), exact);
    const auto guesses = argmax_rows(ours, session.classes());
    for (std::size_t i = 0; i < guesses.size(); ++i) right += guesses[i] == batch.labels[i];
    progress.update(seen += std::ssize(batch.labels));
    check_interrupt(stage.name);
  });
  progress.finish();
  stage.accuracy = static_cast<double>(right) / static_cast<double>(test.size());
}

}  // namespace espalier::apps
