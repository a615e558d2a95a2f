#include "core/kernels/pool2d.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = the window's largest value     dx: dy goes where that value stood
Variable max_pool2d(const Variable& x, const kernels::Window& window) {
  auto [y, workspace] = kernels::max_pool2d(x.value(), window);
  return record("max_pool2d", y, {x}, [window, where = workspace](const BackwardContext& ctx) {
    return Gradients{kernels::max_pool2d_dx(ctx.gradient(), where, ctx.input(0).shape(), window)};
  });
}

}  // namespace espalier::ops
