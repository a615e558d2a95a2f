#include "core/kernels/pool2d.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = the mean of the window without its padding     dx: dy / count to each of them
Variable average_pool2d(const Variable& x, const kernels::Window& window) {
  return record(
      "average_pool2d", kernels::average_pool2d(x.value(), window), {x},
      [window](const BackwardContext& ctx) {
        return Gradients{kernels::average_pool2d_dx(ctx.gradient(), ctx.input(0).shape(), window)};
      });
}

}  // namespace espalier::ops
