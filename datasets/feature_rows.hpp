// Rows of features in memory as images of [1 1 C], brought to 0..1.
#pragma once

#include <span>
#include <vector>

#include "datasets/dataset.hpp"

namespace espalier::datasets {

class FeatureRows : public Dataset {
 public:
  // values: [N C], finite; labels: [N], 0..classes-1. Mean and deviation (the root of the mean
  // square, divided by n) are those of the `train` rows, at least one. Errors: kUsage when the
  // counts do not fit.
  FeatureRows(std::vector<float> values, std::vector<int> labels, int classes,
              std::span<const std::int64_t> train);

  std::int64_t size() const override { return std::ssize(labels_); }
  // x = 0.5 + (value - mean) / (8 deviation), clamped to 0..1; 0.5 where the deviation is 0.
  Example get(std::int64_t i) const override;
  Shape image_shape() const override { return {1, 1, std::ssize(mean_)}; }
  int classes() const override { return classes_; }
  const std::vector<float>& mean() const { return mean_; }
  const std::vector<float>& deviation() const { return deviation_; }

 private:
  std::vector<float> values_;
  std::vector<int> labels_;
  int classes_;
  std::vector<float> mean_, deviation_;
};

}  // namespace espalier::datasets
