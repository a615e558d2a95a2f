#include "datasets/dataset.hpp"

#include <algorithm>
#include <numeric>

namespace espalier::datasets {

Batch collate(const Dataset& dataset, std::span<const std::int64_t> indices) {
  require(!indices.empty(), "collate", "wants at least one index");
  const Shape image = dataset.image_shape();
  const auto n = static_cast<std::int64_t>(indices.size());
  Batch batch{Tensor::uninitialized({n, image[0], image[1], image[2]}), {}, {}};
  batch.labels.reserve(indices.size());
  float* out = batch.images.mutable_data();
  for (const std::int64_t i : indices) {
    const Example example = dataset.get(i);
    require(example.image.shape() == image, ErrorKind::kInternal, "collate", "example ", i, " is ",
            example.image.shape(), ", its dataset says ", image);
    out = std::ranges::copy(example.image.values(), out).out;
    batch.labels.push_back(example.label);
    if (dataset.has_targets()) batch.targets.push_back(example.target);
  }
  return batch;
}

void for_each_batch(const Dataset& dataset, std::int64_t count, std::int64_t size,
                    const std::function<void(const Batch&)>& use) {
  require(size >= 1 && 0 <= count && count <= dataset.size(), "for_each_batch", "wants 0 to ",
          dataset.size(), " examples in batches of at least 1, got ", count, " and ", size);
  std::vector<std::int64_t> indices;
  for (std::int64_t begin = 0; begin < count; begin += size) {
    indices.resize(static_cast<std::size_t>(std::min(size, count - begin)));
    std::iota(indices.begin(), indices.end(), begin);
    use(collate(dataset, indices));
  }
}

}  // namespace espalier::datasets
