#include "core/kernels/batch_norm.hpp"
#include "core/kernels/elementwise.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = gamma x^ + beta,   x^ = (x - mean) / sqrt(variance + epsilon), both given
// dx = gamma dy / sqrt(variance + epsilon)     dgamma = sum of dy x^     dbeta = sum of dy
Variable batch_norm_inference(const Variable& x, const Variable& gamma, const Variable& beta,
                              const Tensor& mean, const Tensor& variance, float epsilon) {
  const auto normalize = [=](const Tensor& x, const Tensor& gamma, const Tensor& mean) {
    const Tensor zeros(gamma.shape());
    return kernels::batch_norm_inference(x, gamma, zeros, mean, variance, epsilon);
  };
  Tensor y = kernels::batch_norm_inference(x.value(), gamma.value(), beta.value(), mean, variance,
                                           epsilon);
  return record("batch_norm_inference", y, {x, gamma, beta}, [=](const BackwardContext& ctx) {
    const Tensor &dy = ctx.gradient(), &gamma = ctx.input(1);
    const Shape& channels = gamma.shape();
    Gradients grads(3);
    if (ctx.needs(0)) grads[0] = normalize(dy, gamma, Tensor(channels));
    if (ctx.needs(1))
      grads[1] = kernels::sum_to_channels(
          kernels::multiply(dy, normalize(ctx.input(0), Tensor::full(channels, 1), mean)));
    if (ctx.needs(2)) grads[2] = kernels::sum_to_channels(dy);
    return grads;
  });
}

}  // namespace espalier::ops
