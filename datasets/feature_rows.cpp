#include "datasets/feature_rows.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace espalier::datasets {

std::vector<Scaling> scalings_of(std::span<const float> values, std::size_t columns,
                                 std::span<const std::int64_t> rows) {
  require(columns > 0 && values.size() % columns == 0, "scalings_of", "wants rows of ", columns,
          " columns, got ", values.size(), " values");
  return scalings_of(columns, rows, [&](std::int64_t row, std::span<float> to) {
    check_index(row, static_cast<std::int64_t>(values.size() / columns));
    std::ranges::copy(values.subspan(static_cast<std::size_t>(row) * columns, columns), to.begin());
  });
}

std::vector<Scaling> scalings_of(
    std::size_t columns, std::span<const std::int64_t> rows,
    const std::function<void(std::int64_t row, std::span<float> to)>& read) {
  require(columns > 0 && !rows.empty(), "scalings_of", "wants at least one row and column, got ",
          rows.size(), " of ", columns);
  const auto n = static_cast<double>(rows.size());
  std::vector<float> row(columns);
  std::vector<double> mean(columns), squares(columns);
  for (const std::int64_t i : rows) {
    read(i, row);
    for (std::size_t c = 0; c < columns; ++c) mean[c] += double{row[c]};
  }
  for (double& m : mean) m /= n;
  for (const std::int64_t i : rows) {
    read(i, row);
    for (std::size_t c = 0; c < columns; ++c)
      squares[c] += (double{row[c]} - mean[c]) * (double{row[c]} - mean[c]);
  }
  std::vector<Scaling> all;
  for (std::size_t c = 0; c < columns; ++c)
    all.push_back({static_cast<float>(mean[c]), static_cast<float>(std::sqrt(squares[c] / n))});
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
