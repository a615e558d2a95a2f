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

}  // namespace espalier
