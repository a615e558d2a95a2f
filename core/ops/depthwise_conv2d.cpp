#include "core/kernels/depthwise_conv2d.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = x (*) w, channel by channel     x: [N H W C]   w: [C KH KW 1]   y: [N OH OW C]     formulas:
// core/kernels/depthwise_conv2d.hpp
Variable depthwise_conv2d(const Variable& x, const Variable& w, const kernels::Window& window) {
  return record("depthwise_conv2d", kernels::depthwise_conv2d(x.value(), w.value(), window), {x, w},
                [window](const BackwardContext& ctx) {
                  const Tensor &dy = ctx.gradient(), &x = ctx.input(0), &w = ctx.input(1);
                  Gradients grads(2);
                  if (ctx.needs(0))
                    grads[0] = kernels::depthwise_conv2d_dx(dy, w, x.shape(), window);
                  if (ctx.needs(1))
                    grads[1] = kernels::depthwise_conv2d_dw(x, dy, w.shape(), window);
                  return grads;
                });
}

}  // namespace espalier::ops
