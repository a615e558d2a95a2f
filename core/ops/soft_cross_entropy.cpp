#include <cmath>

#include "core/kernels/softmax.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// loss = -1/N sum over n, k of target[n, k] log p[n, k], p = softmax(logits / T)
// dlogits[n, k] = dloss / (N T) (p[n, k] sum over j of target[n, j] - target[n, k])
Variable soft_cross_entropy(const Variable& logits, const Tensor& targets, float temperature) {
  const Shape& shape = logits.shape();
  require(shape.rank() == 2 && shape[0] > 0 && targets.shape() == shape, "soft_cross_entropy",
          "wants logits and targets of one shape [N K], got ", shape, " and ", targets.shape());
  require(temperature > 0, "soft_cross_entropy", "wants a temperature > 0, got ", temperature);
  Tensor scaled = logits.value().clone();
  for (float& v : scaled.mutable_values()) v /= temperature;
  const Tensor log_p = kernels::log_softmax(scaled);
  double total = 0;
  for (std::size_t i = 0; i < log_p.values().size(); ++i)
    total -= double{targets.values()[i]} * double{log_p.values()[i]};
  const auto count = static_cast<float>(shape[0]);
  return record("soft_cross_entropy", Tensor::full({}, static_cast<float>(total / double{count})),
                {logits}, [log_p, targets, count, temperature](const BackwardContext& ctx) {
                  const float share = ctx.gradient().item() / (count * temperature);
                  const std::int64_t k = log_p.shape()[1];
                  Tensor dx(log_p.shape());
                  for (std::int64_t row = 0; row < log_p.elements(); row += k) {
                    const float *t = targets.data() + row, *log = log_p.data() + row;
                    float sum = 0;
                    for (std::int64_t i = 0; i < k; ++i) sum += t[i];
                    for (std::int64_t i = 0; i < k; ++i)
                      dx.mutable_data()[row + i] = share * (std::exp(log[i]) * sum - t[i]);
                  }
                  return Gradients{dx};
                });
}

}  // namespace espalier::ops
