#include "apps/smallest/number_error.hpp"

#include "compress/format/reader.hpp"
#include "compress/runtime/session.hpp"

namespace espalier::apps {

NumberScores number_scores(const Bytes& file, const datasets::Dataset& rows,
                           const datasets::Scaling& target) {
  constexpr std::int64_t kBatch = 100;
  runtime::Session session(runtime::Model(format::read(file, "the trained model")),
                           {.batch = kBatch});
  NumberScores scores;
  const auto in_units = [&](float v) {
    return double{target.mean} + double{target.deviation} * double{v};
  };
  datasets::for_each_batch(rows, rows.size(), kBatch, [&](const datasets::Batch& batch) {
    const auto outputs = session.run(batch.images);
    for (std::size_t i = 0; i < batch.targets.size(); ++i)
      scores.add(in_units(outputs[i]), in_units(batch.targets[i]));
  });
  return scores;
}

}  // namespace espalier::apps
