#include "core/kernels/batch_norm.hpp"

#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance of this batch
// (Ioffe & Szegedy 2015); gradients: core/kernels/reference/batch_norm.cpp
BatchNormOutput batch_norm(const Variable& x, const Variable& gamma, const Variable& beta,
                           float epsilon) {
  auto r = kernels::batch_norm_training(x.value(), gamma.value(), beta.value(), epsilon);
  Variable y = record("batch_norm", r.y, {x, gamma, beta},
                      [mean = r.mean, variance = r.variance, epsilon](const BackwardContext& ctx) {
                        auto g = kernels::batch_norm_backward(
                            ctx.gradient(), ctx.input(0), ctx.input(1), mean, variance, epsilon);
                        return Gradients{g.dx, g.dgamma, g.dbeta};
                      });
  return {y, r.mean, r.variance};
}

}  // namespace espalier::ops
