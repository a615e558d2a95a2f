#include "datasets/feature_rows.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace espalier::datasets {

FeatureRows::FeatureRows(std::vector<float> values, std::vector<int> labels, int classes,
                         std::span<const std::int64_t> train)
    : values_(std::move(values)), labels_(std::move(labels)), classes_(classes) {
  require(!labels_.empty() && !values_.empty() && values_.size() % labels_.size() == 0,
          "FeatureRows", "has ", values_.size(), " values for ", labels_.size(), " labels");
  require(!train.empty(), "FeatureRows", "wants at least one training row");
  const std::size_t features = values_.size() / labels_.size();
  for (std::size_t c = 0; c < features; ++c) {
    const auto value = [&](std::int64_t row) {
      check_index(row, size());
      return double{values_[static_cast<std::size_t>(row) * features + c]};
    };
    double sum = 0, squares = 0;
    for (const std::int64_t row : train) sum += value(row);
    const double mean = sum / static_cast<double>(train.size());
    for (const std::int64_t row : train) squares += (value(row) - mean) * (value(row) - mean);
    mean_.push_back(static_cast<float>(mean));
    deviation_.push_back(
        static_cast<float>(std::sqrt(squares / static_cast<double>(train.size()))));
  }
}

Example FeatureRows::get(std::int64_t i) const {
  check_index(i, size());
  Example example{Tensor::uninitialized(image_shape()), labels_[static_cast<std::size_t>(i)]};
  const float* from = values_.data() + static_cast<std::size_t>(i) * mean_.size();
  float* to = example.image.mutable_data();
  for (std::size_t c = 0; c < mean_.size(); ++c) {
    const double z =
        deviation_[c] > 0 ? (double{from[c]} - double{mean_[c]}) / double{deviation_[c]} : 0;
    to[c] = static_cast<float>(std::clamp(0.5 + z / 8, 0.0, 1.0));
  }
  return example;
}

}  // namespace espalier::datasets
