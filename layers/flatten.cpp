#include "layers/flatten.hpp"

#include "core/ops/ops.hpp"

namespace espalier {

Variable Flatten::forward(const Variable& x, const ForwardContext&) {
  const Shape& shape = x.shape();
  require(shape.rank() >= 2, "Flatten", "wants a batch of at least rank 2, got ", shape);
  std::int64_t features = 1;
  for (int axis = 1; axis < shape.rank(); ++axis) features *= shape[axis];
  return ops::reshape(x, {shape[0], features});
}

Shape Flatten::output_shape(const Shape& input) const {
  require(input.rank() >= 1, "Flatten", "wants an example of at least rank 1, got a scalar");
  return {input.elements()};
}

}  // namespace espalier
