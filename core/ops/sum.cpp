#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = the sum of all x (accumulated in double)     dx = dy everywhere
Variable sum(const Variable& x) {
  double total = 0;
  for (const float v : x.value().values()) total += v;
  return record("sum", Tensor::full({}, static_cast<float>(total)), {x},
                [](const BackwardContext& ctx) {
                  return Gradients{Tensor::full(ctx.input(0).shape(), ctx.gradient().item())};
                });
}

}  // namespace espalier::ops
