#include "datasets/feature_rows.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace espalier::datasets {

std::vector<Scaling> scalings_of(std::span<const float> values, std::size_t columns,
                                 std::span<const std::int64_t> rows) {
  require(columns > 0 && values.size() % columns == 0 && !rows.empty(), "scalings_of",
          "wants at least one row of ", columns, " columns, got ", values.size(), " values");
  std::vector<Scaling> all;
  for (std::size_t c = 0; c < columns; ++c) {
    const auto value = [&](std::int64_t row) {
      check_index(row, static_cast<std::int64_t>(values.size() / columns));
      return double{values[static_cast<std::size_t>(row) * columns + c]};
    };
    double sum = 0, squares = 0;
    for (const std::int64_t row : rows) sum += value(row);
    const double mean = sum / static_cast<double>(rows.size());
    for (const std::int64_t row : rows) squares += (value(row) - mean) * (value(row) - mean);
    all.push_back({static_cast<float>(mean),
                   static_cast<float>(std::sqrt(squares / static_cast<double>(rows.size())))});
  }
  return all;
}

float scaled(float value, const Scaling& s) {
  const double z = s.deviation > 0 ? (double{value} - double{s.mean}) / double{s.deviation} : 0;
  return static_cast<float>(std::clamp(0.5 + z / 8, 0.0, 1.0));
}

FeatureRows::FeatureRows(std::vector<float> values, std::vector<int> labels, int classes,
                         std::vector<Scaling> scalings, std::vector<float> targets)
    : values_(std::move(values)),
      labels_(std::move(labels)),
      classes_(classes),
      scalings_(std::move(scalings)),
      targets_(std::move(targets)) {
  require(
      !labels_.empty() && !scalings_.empty() && values_.size() == labels_.size() * scalings_.size(),
      "FeatureRows", "has ", values_.size(), " values for ", labels_.size(), " rows of ",
      scalings_.size(), " columns");
  require(targets_.empty() || (targets_.size() == labels_.size() && classes_ == 1), "FeatureRows",
          "has ", targets_.size(), " targets for ", labels_.size(), " rows");
}

Example FeatureRows::get(std::int64_t i) const {
  check_index(i, size());
  const auto at = static_cast<std::size_t>(i);
  Example example{Tensor::uninitialized(image_shape()), labels_[at],
                  targets_.empty() ? 0.0f : targets_[at]};
  const float* from = values_.data() + at * scalings_.size();
  std::transform(from, from + scalings_.size(), scalings_.begin(), example.image.mutable_data(),
                 scaled);
  return example;
}

}  // namespace espalier::datasets
