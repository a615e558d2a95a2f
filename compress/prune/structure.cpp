#include "compress/prune/structure.hpp"

#include <algorithm>
#include <numeric>

namespace espalier::prune {

void check(const Structure& structure) {
  if (const auto* blocks = std::get_if<Blocks>(&structure))
    require(blocks->outputs >= 1 && blocks->inputs >= 1, "Blocks",
            "wants at least 1 x 1 weights, got ", blocks->outputs, " x ", blocks->inputs);
  if (const auto* few = std::get_if<NofM>(&structure))
    require(1 <= few->keep && few->keep <= few->of, "NofM", "wants 1 <= keep <= of, got ",
            few->keep, " of ", few->of);
}

Grouping groups_of(const Shape& shape, const Structure& structure) {
  const auto elements = static_cast<std::size_t>(shape.elements());
  Grouping result;
  result.group.resize(elements);
  if (std::holds_alternative<Elements>(structure)) {
    std::iota(result.group.begin(), result.group.end(), 0u);
    result.count = elements;
    return result;
  }
  std::size_t rows = 1, columns = 1;  // of a group
  if (const auto* blocks = std::get_if<Blocks>(&structure)) {
    rows = static_cast<std::size_t>(blocks->outputs);
    columns = static_cast<std::size_t>(blocks->inputs);
  } else {
    columns = static_cast<std::size_t>(std::get<NofM>(structure).of);
  }
  const auto outputs = static_cast<std::size_t>(shape[0]);
  const auto inputs = shape.rank() > 1 ? static_cast<std::size_t>(shape[-1]) : 1;
  const std::size_t positions = elements / std::max<std::size_t>(outputs * inputs, 1);
  const std::size_t across = (inputs + columns - 1) / columns;
  for (std::size_t i = 0; i < elements; ++i) {
    const std::size_t input = i % inputs, position = i / inputs % positions,
                      output = i / inputs / positions;
    result.group[i] = static_cast<std::uint32_t>((output / rows * positions + position) * across +
                                                 input / columns);
  }
  result.count = (outputs + rows - 1) / rows * positions * across;
  return result;
}

std::vector<float> pooled(const Tensor& scores, const Grouping& grouping, Blocks::Pool pool) {
  std::vector<float> result(grouping.count);
  std::vector<float> sizes(grouping.count);
  const auto values = scores.values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    float& score = result[grouping.group[i]];
    score = pool == Blocks::Pool::kMax ? std::max(score, values[i]) : score + values[i];
    ++sizes[grouping.group[i]];
  }
  if (pool == Blocks::Pool::kMean)
    for (std::size_t g = 0; g < result.size(); ++g) result[g] /= sizes[g];
  return result;
}

}  // namespace espalier::prune
