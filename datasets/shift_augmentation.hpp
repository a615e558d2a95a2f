// Augmentation by shifts: each image moves by whole pixels, zeros come in at the border.
#pragma once

#include "datasets/dataset.hpp"

namespace espalier::datasets {

struct ShiftOptions {
  std::int64_t max_shift_pixels = 1;  // each axis moves by -max..max, all equally likely
  float share = 1;                    // of the images that move; the others stay, 0 to 1
  std::uint64_t seed = 1;
  std::uint64_t epoch = 0;
};

// The shift depends on (seed, epoch, i) alone: the order of reading does not matter, and a resumed
// run sees what the first would have seen. Each epoch wraps the dataset anew (it copies nothing).
class ShiftAugmentation : public Dataset {
 public:
  // Errors: kUsage when max_shift_pixels is negative or not smaller than the image,
  // or the share is not in [0, 1].
  ShiftAugmentation(std::shared_ptr<const Dataset> dataset, ShiftOptions options);

  std::int64_t size() const override { return dataset_->size(); }
  Example get(std::int64_t i) const override;
  Shape image_shape() const override { return dataset_->image_shape(); }
  int classes() const override { return dataset_->classes(); }
  bool has_targets() const override { return dataset_->has_targets(); }

 private:
  std::shared_ptr<const Dataset> dataset_;
  ShiftOptions options_;
};

// `pixels`, but no more than images of this shape can move: 0 for features, [1 1 C].
std::int64_t possible_shift(std::int64_t pixels, const Shape& image);

// out[y, x] = image[y - down, x - right], 0 where that lies outside. image: [H W C].
Tensor shifted(const Tensor& image, std::int64_t down, std::int64_t right);

}  // namespace espalier::datasets
