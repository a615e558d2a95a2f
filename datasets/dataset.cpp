#include "datasets/dataset.hpp"

#include <algorithm>

namespace espalier::datasets {

Batch collate(const Dataset& dataset, std::span<const std::int64_t> indices) {
  require(!indices.empty(), "collate", "wants at least one index");
  const Shape image = dataset.image_shape();
  const auto n = static_cast<std::int64_t>(indices.size());
  Batch batch{Tensor::uninitialized({n, image[0], image[1], image[2]}), {}};
  batch.labels.reserve(indices.size());
  float* out = batch.images.mutable_data();
  for (const std::int64_t i : indices) {
    const Example example = dataset.get(i);
    require(example.image.shape() == image, ErrorKind::kInternal, "collate", "example ", i, " is ",
            example.image.shape(), ", its dataset says ", image);
    out = std::ranges::copy(example.image.values(), out).out;
    batch.labels.push_back(example.label);
  }
  return batch;
}

}  // namespace espalier::datasets
