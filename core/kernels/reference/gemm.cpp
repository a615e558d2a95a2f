#include "core/kernels/gemm.hpp"

#include "core/kernels/checks.hpp"

namespace espalier::kernels::reference {

Tensor gemm(const Tensor& a, const Tensor& b, GemmOptions options) {
  const auto [m, n, k] = gemm_sizes(a, b, options);
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
