#include "datasets/augmentation.hpp"

#include <algorithm>
#include <utility>

namespace espalier::datasets {
namespace {

// 64 bits that (seed, epoch, i) decide: each image of each epoch has a seed of its own, however many
// numbers its changes draw.
std::uint64_t seed_of(const AugmentationOptions& options, std::int64_t i) {
  const auto n = static_cast<std::uint64_t>(i);
  const auto block = philox(
      {static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n >> 32),
       static_cast<std::uint32_t>(options.epoch), static_cast<std::uint32_t>(options.epoch >> 32)},
      options.seed);
  return std::uint64_t{block[1]} << 32 | block[0];
}

}  // namespace

Augmentation::Augmentation(std::shared_ptr<const Dataset> dataset, std::vector<Change> changes,
                           AugmentationOptions options)
    : dataset_(std::move(dataset)), changes_(std::move(changes)), options_(options) {
  require(dataset_ != nullptr, "Augmentation", "wants a dataset, got none");
}

Example Augmentation::get(std::int64_t i) const {
  Example example = dataset_->get(i);
  const std::uint64_t seed = seed_of(options_, i);
  for (auto change = changes_.begin(); change != changes_.end(); ++change) {
    // One that is listed again draws numbers of its own.
    const auto before = std::ranges::count(changes_.begin(), change, change->name, &Change::name);
    Rng rng(seed, "augment." + change->name + (before > 0 ? '.' + std::to_string(before) : ""));
    example.image = change->apply(example.image, rng);
    require(example.image.shape() == image_shape(), "Augmentation", change->name, " made ",
            example.image.shape(), " of ", image_shape(), "; a change keeps the shape");
  }
  return example;
}

}  // namespace espalier::datasets
