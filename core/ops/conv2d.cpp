#include "core/kernels/conv2d.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = x (*) w     x: [N H W C]   w: [O KH KW C]   y: [N OH OW O]     formulas:
// core/kernels/conv2d.hpp
Variable conv2d(const Variable& x, const Variable& w, const kernels::Window& window) {
  return record("conv2d", kernels::conv2d(x.value(), w.value(), window), {x, w},
                [window](const BackwardContext& ctx) {
                  const Tensor &dy = ctx.gradient(), &x = ctx.input(0), &w = ctx.input(1);
                  Gradients grads(2);
                  if (ctx.needs(0)) grads[0] = kernels::conv2d_dx(dy, w, x.shape(), window);
                  if (ctx.needs(1)) grads[1] = kernels::conv2d_dw(x, dy, w.shape(), window);
                  return grads;
                });
}

}  // namespace espalier::ops
