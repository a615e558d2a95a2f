#include "core/kernels/softmax.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = x - log(sum(exp(x)))     dx = dy - exp(y) sum(dy), row by row
Variable log_softmax(const Variable& x) {
  return record("log_softmax", kernels::log_softmax(x.value()), {x},
                [](const BackwardContext& ctx) {
                  return Gradients{kernels::log_softmax_dx(ctx.gradient(), ctx.output())};
                });
}

}  // namespace espalier::ops
