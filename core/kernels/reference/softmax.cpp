#include "core/kernels/softmax.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::kernels::reference {

Tensor log_softmax(const Tensor& x) {
  require(x.shape().rank() == 2 && x.shape()[1] > 0, "log_softmax", "wants [N K], got ", x.shape());
  Tensor y(x.shape());
  const std::int64_t k = x.shape()[1];
  for (std::int64_t n = 0; n < x.shape()[0]; ++n) {
    const float* row = x.data() + n * k;
    const float largest = *std::max_element(row, row + k);
    float sum = 0;
    for (std::int64_t j = 0; j < k; ++j) sum += std::exp(row[j] - largest);
    const float log_sum = largest + std::log(sum);
    for (std::int64_t j = 0; j < k; ++j) y.mutable_data()[n * k + j] = row[j] - log_sum;
  }
  return y;
}

Tensor log_softmax_dx(const Tensor& dy, const Tensor& y) {
  require(dy.shape() == y.shape() && y.shape().rank() == 2, "log_softmax_dx", "gradient ",
          dy.shape(), " does not fit output ", y.shape());
  Tensor dx(y.shape());
  const std::int64_t k = y.shape()[1];
  for (std::int64_t n = 0; n < y.shape()[0]; ++n) {
    float sum = 0;
    for (std::int64_t j = 0; j < k; ++j) sum += dy.data()[n * k + j];
    for (std::int64_t i = n * k; i < (n + 1) * k; ++i)
      dx.mutable_data()[i] = dy.data()[i] - std::exp(y.data()[i]) * sum;
  }
  return dx;
}

}  // namespace espalier::kernels::reference
