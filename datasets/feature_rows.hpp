// Rows of features in memory as images of [1 1 C], brought to 0..1.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "datasets/dataset.hpp"

namespace espalier::datasets {

// Of a column, over the training rows; the deviation is the root of the mean square, divided by n.
struct Scaling {
  float mean = 0, deviation = 0;
  bool operator==(const Scaling&) const = default;
};

// Of each of `columns` columns of values [N columns], over these rows: at least one. Errors: kUsage.
std::vector<Scaling> scalings_of(std::span<const float> values, std::size_t columns,
                                 std::span<const std::int64_t> rows);

// The same of rows that `read` brings, one after the other, twice.
std::vector<Scaling> scalings_of(
    std::size_t columns, std::span<const std::int64_t> rows,
    const std::function<void(std::int64_t row, std::span<float> to)>& read);

// What a network sees of a feature: 0.5 + (value - mean) / (8 deviation), clamped to 0..1; 0.5 where
// the deviation is 0.
float scaled(float value, const Scaling& scaling);

class FeatureRows : public Dataset {
 public:
  // values: [N C], finite, C as many as `scalings`; labels: [N], 0..classes-1; targets: none, or
  // [N], and classes 1. Errors: kUsage when the counts do not fit.
  FeatureRows(std::vector<float> values, std::vector<int> labels, int classes,
              std::vector<Scaling> scalings, std::vector<float> targets = {});

  std::int64_t size() const override { return std::ssize(labels_); }
  Example get(std::int64_t i) const override;  // each feature scaled()
  Shape image_shape() const override { return {1, 1, std::ssize(scalings_)}; }
  int classes() const override { return classes_; }
  bool has_targets() const override { return !targets_.empty(); }

 private:
  std::vector<float> values_;
  std::vector<int> labels_;
  int classes_;
  std::vector<Scaling> scalings_;
  std::vector<float> targets_;
};

}  // namespace espalier::datasets
