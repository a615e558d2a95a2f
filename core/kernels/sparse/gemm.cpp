#include "core/kernels/gemm.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/kernels/checks.hpp"
#include "core/kernels/sparse/rows.hpp"
#include "core/onednn/onednn.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::kernels::sparse {
namespace {

// A tile of b stays in the first levels of the cache while all of a passes: 10 registers wide, for
// the sums, and so deep that an entry list pays for reading and writing them.
constexpr std::int64_t kWide = 160, kDeep = 64;

// By oneDNN: its reorder is many times faster than loops.
Tensor transposed(const Tensor& matrix) {
  const std::int64_t rows = matrix.shape()[0], columns = matrix.shape()[1];
  Tensor result = Tensor::uninitialized({columns, rows});
  if (matrix.elements() == 0) return result;
  const auto from = dnn::rows(matrix.shape()), to = dnn::columns(result.shape());
  static dnn::Cache<dnn::Primitive> cache;
  const auto reorder =
      cache.find({rows, columns}, [&] { return dnn::Primitive::reorder(from, to); });
  reorder->run({{DNNL_ARG_FROM, dnn::input(matrix, from)}, {DNNL_ARG_TO, dnn::output(result, to)}});
  return result;
}

}  // namespace

// c[i] = sum over a's numbers in row i that are not 0 of a[i, l] b[l]
Tensor gemm(const Tensor& a, const Tensor& b, GemmOptions options) {
  const auto [m, n, k] = gemm_sizes(a, b, options);
  const Tensor left = options.transpose_a ? transposed(a) : a,
               right = options.transpose_b ? transposed(b) : b;
  Tensor c({m, n});
  require(k * n <= std::numeric_limits<std::int32_t>::max(), "gemm", "a factor of ", b.shape(),
          " has more than 2^31 numbers");
  const float *pa = left.data(), *pb = right.data();
  float* pc = c.mutable_data();
  in_parallel(m, [&, m = m, n = n, k = k](std::int64_t begin, std::int64_t end) {
    static thread_local Entries found;
    static thread_local std::vector<std::int64_t> ends;
    found.reserve((end - begin) * std::min(kDeep, k));
    for (std::int64_t l = 0; l < k; l += kDeep) {
      found.size = 0;
      ends.clear();
      for (std::int64_t i = begin; i < end; ++i) {
        rows().find(pa + i * k + l, std::min(kDeep, k - l), static_cast<std::int32_t>(n), 0, found);
        ends.push_back(found.size);
      }
      for (std::int64_t j = 0; j < n; j += kWide) {
        const Patch patch{1, std::min(kWide, n - j), n, n};
        std::int64_t first = 0;
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t last = ends[static_cast<std::size_t>(i - begin)];
          rows().add(pc + i * n + j, pb + l * n + j, found.offsets.data() + first,
                     found.values.data() + first, last - first, patch);
          first = last;
        }
      }
    }
  });
  return c;
}

// c^T = op(b)^T . op(a)^T
Tensor gemm_of_sparse_b(const Tensor& a, const Tensor& b, GemmOptions options) {
  return transposed(
      gemm(b, a, {.transpose_a = !options.transpose_b, .transpose_b = !options.transpose_a}));
}

}  // namespace espalier::kernels::sparse
