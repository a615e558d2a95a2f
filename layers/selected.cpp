#include "layers/selected.hpp"

#include <algorithm>
#include <array>

namespace espalier {

Tensor selected(const Tensor& tensor, int axis, std::span<const std::int64_t> indices) {
  const Shape& shape = tensor.shape();
  const int at = axis < 0 ? axis + shape.rank() : axis;
  const std::int64_t size = shape[at];
  require(!indices.empty(), "selected", "wants at least one slice of ", shape);
  std::array<std::int64_t, Shape::kMaxRank> sizes{};
  std::ranges::copy(shape.sizes(), sizes.begin());
  sizes[static_cast<std::size_t>(at)] = std::ssize(indices);
  std::int64_t inner = 1;
  for (int a = at + 1; a < shape.rank(); ++a) inner *= shape[a];
  const std::int64_t outer = shape.elements() / std::max<std::int64_t>(size * inner, 1);
  Tensor result = Tensor::uninitialized(
      Shape(std::span<const std::int64_t>(sizes.data(), static_cast<std::size_t>(shape.rank()))));
  float* to = result.mutable_data();
  for (std::int64_t o = 0; o < outer; ++o)
    for (const std::int64_t i : indices) {
      require(0 <= i && i < size, "selected", "there is no slice ", i, " of ", size, " in ", shape);
      to = std::copy_n(tensor.data() + (o * size + i) * inner, inner, to);
    }
  return result;
}

Parameter selected(const Parameter& parameter, int axis, std::span<const std::int64_t> indices) {
  require(!parameter.has_transforms(), "selected",
          "the parameter still has transforms: bake the passes first");
  return Parameter(selected(parameter.latent().value(), axis, indices));
}

}  // namespace espalier
