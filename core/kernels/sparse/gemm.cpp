#include "core/kernels/gemm.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/kernels/checks.hpp"
#include "core/kernels/sparse/entries.hpp"
#include "core/kernels/sparse/transpose.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::kernels::sparse {
namespace {

// A tile of b stays in the first levels of the cache while all of a passes: 10 registers wide, for
// the sums, and so deep that an entry list pays for reading and writing them.
constexpr std::int64_t kWide = 160, kDeep = 64;
// Sums this deep are taken at once where the result is wanted transposed, 16 rows at a time.
constexpr std::int64_t kDeepest = 256, kRowsAtOnce = 16;

// The entries of a's rows [begin, end), columns [l, l + deep).
struct Strip {
  void read(const float* a, std::int64_t begin, std::int64_t end, std::int64_t k, std::int64_t l,
            std::int64_t deep, std::int64_t b_stride) {
    found.reserve((end - begin) * deep);
    found.size = 0;
    ends.assign(1, 0);
    for (std::int64_t i = begin; i < end; ++i) {
      entry_loops().find(a + i * k + l, std::min(deep, k - l), static_cast<std::int32_t>(b_stride),
                         0, found);
      ends.push_back(found.size);
    }
  }
  void add(std::int64_t row, const float* b, float* sums, std::int64_t wide) const {
    const std::int64_t first = ends[static_cast<std::size_t>(row)];
    entry_loops().add(sums, b, found.offsets.data() + first, found.values.data() + first,
                      ends[static_cast<std::size_t>(row) + 1] - first, {1, wide, 0, 0});
  }

  Entries found;
  std::vector<std::int64_t> ends;
};

// a: [M K]; b: [K N], or [N K] where it is transposed; result [M N]
Tensor product(const Tensor& a, const Tensor& b, bool transpose_b) {
  const std::int64_t m = a.shape()[0], k = a.shape()[1], n = b.shape()[transpose_b ? 0 : 1];
  Tensor c({m, n});
  const float *pa = a.data(), *pb = b.data();
  float* pc = c.mutable_data();
  const std::int64_t b_stride = transpose_b ? kWide : n;
  in_parallel(m, static_cast<double>(m * n * k), [&](std::int64_t begin, std::int64_t end) {
    static thread_local Strip strip;
    static thread_local std::vector<float> tile(kDeep * kWide);
    for (std::int64_t l = 0; l < k; l += kDeep) {
      strip.read(pa, begin, end, k, l, kDeep, b_stride);
      for (std::int64_t j = 0; j < n; j += kWide) {
        const std::int64_t wide = std::min(kWide, n - j);
        if (transpose_b)
          transpose(pb + j * k + l, k, wide, std::min(kDeep, k - l), tile.data(), kWide);
        for (std::int64_t i = begin; i < end; ++i)
          strip.add(i - begin, transpose_b ? tile.data() : pb + l * n + j, pc + i * n + j, wide);
      }
    }
  });
  return c;
}

// The same transposed, [N M], for few sums: k is at most kDeepest. b: [K N].
Tensor transposed_product(const Tensor& a, const Tensor& b) {
  const std::int64_t m = a.shape()[0], k = a.shape()[1], n = b.shape()[1];
  Tensor c = Tensor::uninitialized({n, m});
  const float *pa = a.data(), *pb = b.data();
  float* pc = c.mutable_data();
  in_parallel(m, static_cast<double>(m * n * k), [&](std::int64_t begin, std::int64_t end) {
    static thread_local Strip strip;
    static thread_local std::vector<float> sums;
    strip.read(pa, begin, end, k, 0, kDeepest, n);
    for (std::int64_t j = 0; j < n; j += kWide)
      for (std::int64_t i = begin; i < end; i += kRowsAtOnce) {
        const std::int64_t high = std::min(kRowsAtOnce, end - i), wide = std::min(kWide, n - j);
        sums.assign(kRowsAtOnce * kWide, 0);
        for (std::int64_t r = 0; r < high; ++r)
          strip.add(i + r - begin, pb + j, sums.data() + r * kWide, wide);
        transpose(sums.data(), kWide, high, wide, pc + j * m + i, m);
      }
  });
  return c;
}

void check_reach(const Tensor& b) {
  require(b.elements() <= std::numeric_limits<std::int32_t>::max(), "gemm", "a factor of ",
          b.shape(), " has more than 2^31 numbers");
}

}  // namespace

// c[i] = sum over a's numbers in row i that are not 0 of a[i, l] b[l]
Tensor gemm(const Tensor& a, const Tensor& b, GemmOptions options) {
  gemm_sizes(a, b, options);
  check_reach(b);
  return product(options.transpose_a ? transposed(a) : a, b, options.transpose_b);
}

// c^T[j] = sum over b's numbers in column j that are not 0 of b[l, j] a^T[l]
Tensor gemm_of_sparse_b(const Tensor& a, const Tensor& b, GemmOptions options) {
  const std::int64_t k = gemm_sizes(a, b, options).k;
  check_reach(a);
  const Tensor columns = options.transpose_b ? b : transposed(b);
  if (options.transpose_a && k <= kDeepest) return transposed_product(columns, a);
  return transposed(product(columns, a, !options.transpose_a));
}

}  // namespace espalier::kernels::sparse
