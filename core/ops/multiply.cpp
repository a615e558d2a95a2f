#include "core/kernels/elementwise.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// c = a * b     da = dc * b     db = dc * a
Variable multiply(const Variable& a, const Variable& b) {
  return record("multiply", kernels::multiply(a.value(), b.value()), {a, b},
                [](const BackwardContext& ctx) {
                  Gradients grads(2);
                  if (ctx.needs(0)) grads[0] = kernels::multiply(ctx.gradient(), ctx.input(1));
                  if (ctx.needs(1)) grads[1] = kernels::multiply(ctx.gradient(), ctx.input(0));
                  return grads;
                });
}

}  // namespace espalier::ops
