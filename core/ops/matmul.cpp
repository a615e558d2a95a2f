#include "core/kernels/gemm.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// c = a . b (or a . b^T)     da = dc . b^T (dc . b)     db = a^T . dc (dc^T . a)
Variable matmul(const Variable& a, const Variable& b, MatmulOptions options) {
  const bool t = options.transpose_b;
  return record("matmul", kernels::gemm(a.value(), b.value(), {.transpose_b = t}), {a, b},
                [t](const BackwardContext& ctx) {
                  const Tensor& dc = ctx.gradient();
                  Gradients grads(2);
                  if (ctx.needs(0)) grads[0] = kernels::gemm(dc, ctx.input(1), {.transpose_b = !t});
                  if (ctx.needs(1))
                    grads[1] = t ? kernels::gemm(dc, ctx.input(0), {.transpose_a = true})
                                 : kernels::gemm(ctx.input(0), dc, {.transpose_a = true});
                  return grads;
                });
}

}  // namespace espalier::ops
