#include "datasets/shift_augmentation.hpp"

#include <algorithm>
#include <utility>

#include "core/base/rng.hpp"

namespace espalier::datasets {

ShiftAugmentation::ShiftAugmentation(std::shared_ptr<const Dataset> dataset, ShiftOptions options)
    : dataset_(std::move(dataset)), options_(options) {
  require(dataset_ != nullptr, "ShiftAugmentation", "wants a dataset, got none");
  const Shape image = dataset_->image_shape();
  const std::int64_t smallest = std::min(image[0], image[1]);
  require(options_.max_shift_pixels >= 0 && options_.max_shift_pixels < smallest,
          "ShiftAugmentation", "max_shift_pixels must be 0 to ", smallest - 1, ", got ",
          options_.max_shift_pixels);
  require(0 <= options_.share && options_.share <= 1, "ShiftAugmentation",
          "wants a share of 0 to 1, got ", options_.share);
}

Example ShiftAugmentation::get(std::int64_t i) const {
  check_index(i, size());
  const std::uint64_t number =
      options_.epoch * static_cast<std::uint64_t>(size()) + static_cast<std::uint64_t>(i);
  if (options_.share < 1) {
    Rng whether(options_.seed, "augment or not");
    whether.seek(number);
    if (whether.uniform() >= options_.share) return dataset_->get(i);
  }
  // Two draws of 64 bits: one Philox block an example.
  Rng rng(options_.seed, "augment");
  rng.seek(4 * number);
  const auto choices = static_cast<std::uint64_t>(2 * options_.max_shift_pixels + 1);
  const auto down = static_cast<std::int64_t>(rng.below(choices)) - options_.max_shift_pixels;
  const auto right = static_cast<std::int64_t>(rng.below(choices)) - options_.max_shift_pixels;
  Example example = dataset_->get(i);
  example.image = shifted(example.image, down, right);
  return example;
}

std::int64_t possible_shift(std::int64_t pixels, const Shape& image) {
  return std::min(pixels, std::min(image[0], image[1]) - 1);
}

Tensor shifted(const Tensor& image, std::int64_t down, std::int64_t right) {
  const Shape& shape = image.shape();
  require(shape.rank() == 3, "shifted", "wants an image [H W C], got ", shape);
  const std::int64_t height = shape[0], width = shape[1], channels = shape[2];
  Tensor out(shape);
  // The columns x of the output whose source x - right lies inside.
  const std::int64_t begin = std::clamp<std::int64_t>(right, 0, width);
  const std::int64_t end = std::clamp<std::int64_t>(width + right, begin, width);
  for (std::int64_t y = 0; y < height; ++y) {
    const std::int64_t source = y - down;
    if (source < 0 || source >= height || begin == end) continue;
    std::copy_n(image.data() + (source * width + begin - right) * channels,
                (end - begin) * channels, out.mutable_data() + (y * width + begin) * channels);
  }
  return out;
}

}  // namespace espalier::datasets
