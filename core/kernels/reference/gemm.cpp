#include "core/kernels/gemm.hpp"

namespace espalier::kernels::reference {

Tensor gemm(const Tensor& a, const Tensor& b, GemmOptions options) {
  require(a.shape().rank() == 2 && b.shape().rank() == 2, "gemm", "wants two matrices, got ",
          a.shape(), " and ", b.shape());
  const auto m = a.shape()[options.transpose_a ? 1 : 0], k = a.shape()[options.transpose_a ? 0 : 1];
  const auto n = b.shape()[options.transpose_b ? 0 : 1],
             k_b = b.shape()[options.transpose_b ? 1 : 0];
  require(k == k_b, "gemm", "inner sizes differ: ", a.shape(), options.transpose_a ? "^T" : "",
          " . ", b.shape(), options.transpose_b ? "^T" : "");
  Tensor c({m, n});
  const float *pa = a.data(), *pb = b.data();
  float* pc = c.mutable_data();
  const auto a_row = options.transpose_a ? 1 : k, a_column = options.transpose_a ? m : 1;
  const auto b_row = options.transpose_b ? 1 : n, b_column = options.transpose_b ? k : 1;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t l = 0; l < k; ++l) {
      const float x = pa[i * a_row + l * a_column];
      for (std::int64_t j = 0; j < n; ++j) pc[i * n + j] += x * pb[l * b_row + j * b_column];
    }
  return c;
}

}  // namespace espalier::kernels::reference
