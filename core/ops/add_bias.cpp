#include "core/kernels/elementwise.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// y[..., c] = x[..., c] + b[c]     dx = dy     db[c] = sum of dy[..., c]
Variable add_bias(const Variable& x, const Variable& b) {
  return record("add_bias", kernels::add_bias(x.value(), b.value()), {x, b},
                [](const BackwardContext& ctx) {
                  Gradients grads(2);
                  if (ctx.needs(0)) grads[0] = ctx.gradient();
                  if (ctx.needs(1)) grads[1] = kernels::sum_to_channels(ctx.gradient());
                  return grads;
                });
}

}  // namespace espalier::ops
