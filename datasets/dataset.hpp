// A dataset is a number of labelled images: size() and get(i) are the whole contract. Wrappers
// (Subset, ShiftAugmentation) take one and are one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/tensor/tensor.hpp"

namespace espalier::datasets {

struct Example {
  Tensor image;  // [H W C], float32, 0..1
  int label = 0;
  float target = 0;  // of a dataset with targets
};

// get() changes nothing and depends on `i` alone: threads may share a dataset.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::int64_t size() const = 0;
  // Errors: kUsage when i is not in 0..size()-1.
  virtual Example get(std::int64_t i) const = 0;
  virtual Shape image_shape() const = 0;  // [H W C]
  virtual int classes() const = 0;        // labels are 0..classes()-1
  // Regression: examples have a number to predict in place of a label; classes() is 1, labels are 0.
  virtual bool has_targets() const { return false; }
};

struct Batch {
  Tensor images;  // [N H W C]
  std::vector<int> labels;
  std::vector<float> targets = {};  // of a dataset with targets
};

// The examples of these indices, in this order. Errors: kUsage when there are none.
Batch collate(const Dataset& dataset, std::span<const std::int64_t> indices);

// Calls `use` with the first `count` examples in their order, `size` at a time; the last batch may
// be smaller. Errors: kUsage unless size >= 1 and 0 <= count <= dataset.size().
void for_each_batch(const Dataset& dataset, std::int64_t count, std::int64_t size,
                    const std::function<void(const Batch&)>& use);

struct TrainTest {
  std::shared_ptr<const Dataset> train, test;
};

// Shared by every dataset's get().
inline void check_index(std::int64_t i, std::int64_t size) {
  require(i >= 0 && i < size, "Dataset", "has ", size, " examples, asked for number ", i);
}

}  // namespace espalier::datasets
