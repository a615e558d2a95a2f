#include "core/kernels/elementwise.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = x m     dx = dy m     m: 0 with probability rate, else 1 / (1 - rate)
// (Srivastava et al. 2014, scaled while training so that evaluation needs nothing)
Variable dropout(const Variable& x, float rate, Rng& rng) {
  require(0 <= rate && rate < 1, "dropout", "wants a rate in [0, 1), got ", rate);
  Tensor mask = Tensor::uninitialized(x.shape());
  rng.fill_uniform(mask.mutable_values());
  const float kept = 1 / (1 - rate);
  for (float& m : mask.mutable_values()) m = m < rate ? 0 : kept;
  return record("dropout", kernels::multiply(x.value(), mask), {x},
                [mask](const BackwardContext& ctx) {
                  return Gradients{kernels::multiply(ctx.gradient(), mask)};
                });
}

}  // namespace espalier::ops
