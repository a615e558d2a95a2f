// A dataset seen through a list of indices: subsets, splits and shuffles are all this.
#pragma once

#include "core/base/rng.hpp"
#include "datasets/dataset.hpp"

namespace espalier::datasets {

class Subset : public Dataset {
 public:
  // Example i is the dataset's example indices[i]; an index may come twice.
  // Errors: kUsage when an index is out of range.
  Subset(std::shared_ptr<const Dataset> dataset, std::vector<std::int64_t> indices);

  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  Example get(std::int64_t i) const override;
  Shape image_shape() const override { return dataset_->image_shape(); }
  int classes() const override { return dataset_->classes(); }
  bool has_targets() const override { return dataset_->has_targets(); }

 private:
  std::shared_ptr<const Dataset> dataset_;
  std::vector<std::int64_t> indices_;
};

// 0..n-1 in random order (Fisher & Yates; Durstenfeld 1964). It draws from `rng`, so the next call
// gives another order: one call an epoch.
std::vector<std::int64_t> permutation(std::int64_t n, Rng& rng);

// The whole dataset in random order.
std::shared_ptr<const Dataset> shuffled(std::shared_ptr<const Dataset> dataset, Rng& rng);

// The first `count` examples. Errors: kUsage when there are fewer.
std::shared_ptr<const Dataset> first(std::shared_ptr<const Dataset> dataset, std::int64_t count);

// Two parts without overlap: `count` examples drawn at random, and the others, each part in the
// dataset's order. Errors: kUsage when there are fewer than `count`.
struct Split {
  std::shared_ptr<const Dataset> drawn, others;
};
Split split(std::shared_ptr<const Dataset> dataset, std::int64_t count, Rng& rng);

}  // namespace espalier::datasets
