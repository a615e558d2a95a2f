// Augmentation: a list of random changes to each image, drawn anew in every epoch.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/rng.hpp"
#include "datasets/dataset.hpp"

namespace espalier::datasets {

// One kind of change. `apply` takes an image [H W C] of 0..1 and returns one of the same shape; all
// that is random in it comes from `rng`.
struct Change {
  std::string name;
  std::function<Tensor(const Tensor& image, Rng& rng)> apply;
};

struct AugmentationOptions {
  std::uint64_t seed = 1;
  std::uint64_t epoch = 0;
};

// The changes in their order. What happens to image i depends on (seed, epoch, i) and on the
// changes' names alone: the order of reading does not matter, and a resumed run sees what the first
// would have seen. Each epoch wraps the dataset anew (it copies nothing).
class Augmentation : public Dataset {
 public:
  // Errors: kUsage without a dataset, and when a change gives another shape (at get()).
  Augmentation(std::shared_ptr<const Dataset> dataset, std::vector<Change> changes,
               AugmentationOptions options = {});

  std::int64_t size() const override { return dataset_->size(); }
  Example get(std::int64_t i) const override;
  Shape image_shape() const override { return dataset_->image_shape(); }
  int classes() const override { return dataset_->classes(); }
  bool has_targets() const override { return dataset_->has_targets(); }

 private:
  std::shared_ptr<const Dataset> dataset_;
  std::vector<Change> changes_;
  AugmentationOptions options_;
};

// The changes below check their arguments when they are made; errors: kUsage. `share`: of the
// images that are changed, 0 to 1.

// Mirrored left to right.
Change flip(float share = 0.5f);

// Moved by -max..max whole pixels along each axis, zeros at the border (shift_augmentation.hpp).
Change shift(std::int64_t max_pixels);

// Turned about the centre by -max..max degrees, evenly. Bilinear; zeros come in from outside.
Change rotate(float max_degrees);

// About the centre by a factor between `smallest` and `largest`, evenly in its logarithm; above 1 the
// picture grows and loses its border. Bilinear; zeros come in from outside.
struct ScaleOptions {
  float smallest = 0.9f, largest = 1.1f;
};
Change scale(ScaleOptions options = {});

// A window at a random place, of `smallest` to 1 of each side (the same for both), resized to the
// whole (resize.hpp).
Change crop(float smallest);

// A normal value of this deviation added to each value, then clamped to 0..1.
Change noise(float deviation);

// A square of this side set to 0, its centre anywhere in the image, so that it may be cut by the
// border (DeVries & Taylor 2017, "Improved regularization of convolutional neural networks with
// cutout").
Change cutout(std::int64_t side_pixels);

}  // namespace espalier::datasets
