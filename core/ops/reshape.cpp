#include "core/ops/ops.hpp"

namespace espalier::ops {

// The same values in another shape     dx = dy in x's shape
Variable reshape(const Variable& x, Shape shape) {
  return record("reshape", x.value().reshaped(shape), {x}, [](const BackwardContext& ctx) {
    return Gradients{ctx.gradient().reshaped(ctx.input(0).shape())};
  });
}

}  // namespace espalier::ops
