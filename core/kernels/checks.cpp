#include "core/kernels/checks.hpp"

namespace espalier::kernels {

GemmSizes gemm_sizes(const Tensor& a, const Tensor& b, GemmOptions options) {
  require(a.shape().rank() == 2 && b.shape().rank() == 2, "gemm", "wants two matrices, got ",
          a.shape(), " and ", b.shape());
  const auto m = a.shape()[options.transpose_a ? 1 : 0], k = a.shape()[options.transpose_a ? 0 : 1];
  const auto n = b.shape()[options.transpose_b ? 0 : 1],
             k_b = b.shape()[options.transpose_b ? 1 : 0];
  require(k == k_b, "gemm", "inner sizes differ: ", a.shape(), options.transpose_a ? "^T" : "",
          " . ", b.shape(), options.transpose_b ? "^T" : "");
  return {m, n, k};
}

void check_conv_bias(const Tensor& bias, const Shape& w) {
  require(!bias.defined() || bias.shape() == Shape{w[0]}, "conv2d", "weights ", w,
          " want a bias of their outputs, got ", bias);
}

void check_pool_gradient(const Tensor& dy, const Shape& x_shape, const Window& window) {
  require(dy.shape() == pooled_shape(x_shape, window), "pool2d_dx", "gradient ", dy.shape(),
          " does not fit input ", x_shape);
}

std::int64_t batch_norm_channels(const Tensor& x, std::initializer_list<const Tensor*> vectors,
                                 float epsilon) {
  require(epsilon > 0, "batch_norm", "wants an epsilon > 0, got ", epsilon);
  require(x.shape().rank() >= 2 && x.elements() > 0, "batch_norm",
          "wants [... C] with values, got ", x.shape());
  for (const Tensor* v : vectors)
    require(v->shape() == Shape{x.shape()[-1]}, "batch_norm", "input ", x.shape(),
            " wants vectors of its innermost size, got ", v->shape());
  return x.shape()[-1];
}

}  // namespace espalier::kernels
