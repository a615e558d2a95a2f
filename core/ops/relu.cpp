#include "core/kernels/elementwise.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = max(x, 0)     dx = dy where y > 0, else 0
Variable relu(const Variable& x) {
  return record("relu", kernels::relu(x.value()), {x}, [](const BackwardContext& ctx) {
    return Gradients{kernels::relu_dx(ctx.gradient(), ctx.output())};
  });
}

}  // namespace espalier::ops
