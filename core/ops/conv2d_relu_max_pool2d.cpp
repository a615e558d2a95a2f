#include "core/kernels/conv2d_pool.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = the largest value of each window of max(0, x (*) w + b)     x: [N H W C]   w: [O KH KW C]   b: [O]
// dw, db: from dy where the largest value stood and is above 0, as in conv2d.cpp and max_pool2d.cpp
Variable conv2d_relu_max_pool2d(const Variable& x, const Variable& w, const Variable& b,
                                const kernels::Window& window, const kernels::Window& pool) {
  if (!kernels::loops::convolves_and_pools(x.shape(), w.shape(), window, pool))
    return relu_max_pool2d(conv2d(x, w, b, window), pool);
  const auto pooled =
      kernels::loops::conv2d_relu_max_pool2d(x.value(), w.value(), window, b.value(), pool);
  // A name of up to 15 letters needs no memory of its own.
  return record("conv_relu_pool", pooled.y, {x, w, b},
                [window, pool, at = pooled.workspace](const BackwardContext& ctx) {
                  const Tensor &dy = ctx.gradient(), &x = ctx.input(0), &w = ctx.input(1);
                  Gradients grads(3);
                  if (ctx.needs(0)) {
                    const Shape convolved = kernels::convolved_shape(x.shape(), w.shape(), window);
                    grads[0] = kernels::conv2d_dx(kernels::max_pool2d_dx(dy, at, convolved, pool),
                                                  w, x.shape(), window);
                  }
                  if (!ctx.needs(1) && !ctx.needs(2)) return grads;
                  auto of =
                      kernels::loops::conv2d_relu_max_pool2d_dw(x, dy, at, w.shape(), window, pool);
                  if (ctx.needs(1)) grads[1] = of.dw;
                  if (ctx.needs(2)) grads[2] = of.dbias;
                  return grads;
                });
}

}  // namespace espalier::ops
