#include "apps/toolbox/measure.hpp"

#include <type_traits>

#include "apps/smallest/train_smallest.hpp"
#include "compress/format/wiring.hpp"
#include "compress/format/writer.hpp"
#include "compress/runtime/costs.hpp"
#include "compress/runtime/stages.hpp"
#include "core/base/median.hpp"

namespace espalier::apps {
namespace {

std::int64_t macs_of(const format::PackedModel& packed) {
  const auto stages = runtime::stages(packed);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < packed.layers.size(); ++i)
    sum += runtime::macs(packed.layers[i], stages[format::input_stage(packed.layers[i], i)].shape);
  return sum;
}

}  // namespace

Measured measure(const Outcome& outcome, const datasets::Dataset& test, const Baseline& baseline) {
  const Bytes file = format::write(outcome.packed);
  const double accuracy = 1 - error_of(file, test);
  const double before = outcome.own_baseline
                            ? 1 - error_of(format::write(*outcome.own_baseline), test)
                            : baseline.accuracy;
  return {.accuracy = accuracy,
          .drop = before - accuracy,
          .file_bytes = std::ssize(file),
          .macs = macs_of(outcome.packed),
          .smaller = baseline.deflate_bytes / static_cast<double>(file.size()),
          .deflate = baseline.deflate_bytes / static_cast<double>(outcome.deflate_bytes)};
}

Measured middle(const std::vector<Measured>& seeds) {
  const auto of = [&](auto member) {
    std::vector<std::remove_cvref_t<decltype(seeds[0].*member)>> values;
    for (const Measured& m : seeds) values.push_back(m.*member);
    return median(values);
  };
  return {of(&Measured::accuracy), of(&Measured::drop),    of(&Measured::file_bytes),
          of(&Measured::macs),     of(&Measured::smaller), of(&Measured::deflate)};
}

}  // namespace espalier::apps
