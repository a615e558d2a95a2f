#include <cmath>

#include "core/kernels/softmax.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// loss = -1/N sum over n of log p[n, label[n]], p = softmax(logits)
// dlogits[n, k] = dloss / N (p[n, k] - [k == label[n]])
Variable cross_entropy(const Variable& logits, std::span<const int> labels) {
  const Shape& shape = logits.shape();
  require(shape.rank() == 2 && shape[0] > 0 && shape[0] == static_cast<std::int64_t>(labels.size()),
          "cross_entropy", "wants logits [N K] and N labels, got ", shape, " and ", labels.size());
  const Tensor log_p = kernels::log_softmax(logits.value());
  const std::int64_t k = shape[1];
  double total = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    require(0 <= labels[n] && labels[n] < k, "cross_entropy", "label ", labels[n], " of image ", n,
            " is outside of the ", k, " classes");
    total -= log_p.values()[n * static_cast<std::size_t>(k) + static_cast<std::size_t>(labels[n])];
  }
  const auto count = static_cast<float>(labels.size());
  return record("cross_entropy", Tensor::full({}, static_cast<float>(total / count)), {logits},
                [log_p, k, count, labels = RecycledVector<int>(labels.begin(), labels.end())](
                    const BackwardContext& ctx) {
                  const float share = ctx.gradient().item() / count;
                  Tensor dx(log_p.shape());
                  for (std::int64_t i = 0; i < dx.elements(); ++i) {
                    const bool hit = labels[static_cast<std::size_t>(i / k)] == i % k;
                    dx.mutable_data()[i] =
                        share * (std::exp(log_p.data()[i]) - (hit ? 1.0f : 0.0f));
                  }
                  return Gradients{dx};
                });
}

}  // namespace espalier::ops
