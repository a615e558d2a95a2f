#include "core/ops/ops.hpp"

namespace espalier::ops {

// y = the mean of all n values of x     dx = dy / n everywhere
Variable mean(const Variable& x) {
  require(x.value().elements() > 0, "mean", "wants at least one value, got ", x.shape());
  const auto n = static_cast<double>(x.value().elements());
  double total = 0;
  for (const float v : x.value().values()) total += v;
  return record("mean", Tensor::full({}, static_cast<float>(total / n)), {x},
                [n](const BackwardContext& ctx) {
                  const auto share = static_cast<float>(ctx.gradient().item() / n);
                  return Gradients{Tensor::full(ctx.input(0).shape(), share)};
                });
}

}  // namespace espalier::ops
