#include "core/kernels/conv2d.hpp"
#include "core/kernels/elementwise.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = x (*) w + b     x: [N H W C]   w: [O KH KW C]   b: [O]   y: [N OH OW O]
// db[o] = sum of dy[..., o]     the other formulas: core/kernels/conv2d.hpp
Variable conv2d(const Variable& x, const Variable& w, const Variable& b,
                const kernels::Window& window) {
  return record("conv2d", kernels::conv2d(x.value(), w.value(), window, b.value()), {x, w, b},
                [window](const BackwardContext& ctx) {
                  const Tensor &dy = ctx.gradient(), &x = ctx.input(0), &w = ctx.input(1);
                  Gradients grads(3);
                  if (ctx.needs(0)) grads[0] = kernels::conv2d_dx(dy, w, x.shape(), window);
                  if (ctx.needs(1)) grads[1] = kernels::conv2d_dw(x, dy, w.shape(), window);
                  if (ctx.needs(2)) grads[2] = kernels::sum_to_channels(dy);
                  return grads;
                });
}

}  // namespace espalier::ops
