// Which twin runs. Zeros come by themselves: max pooling passes the gradient to one input in four,
// relu to about half of what is left, dropout to less, and most of a digit is background; pruning
// makes more. Where they are many, skipping them beats the faster dense kernel. The numbers are
// measurements (espalier-bench-kernels), in units of one dense multiply-add in float32. The choice
// depends on the data alone, not on time: a repeated run makes the same ones.
#include "core/kernels/checks.hpp"
#include "core/kernels/conv2d.hpp"
#include "core/kernels/gemm.hpp"
#include "core/kernels/pool2d.hpp"
#include "core/kernels/precision.hpp"
#include "core/kernels/sparse/density.hpp"
#include "core/kernels/sparse/entries.hpp"

namespace espalier::kernels {
namespace {

// A dense multiply-add of float32 costs 1.
double dense_cost() {
  return precision() == Precision::kBf16 ? 0.55 : 1;
}
constexpr double kTranspose = 12;  // a number of a matrix that is transposed on the way
constexpr double kSmallGemm = 1 << 18;
constexpr std::int64_t kShortRow = 48;  // floats: shorter patches waste their registers

bool skips_zeros(const Tensor& dy, const Shape& w) {
  const std::int64_t row = w.elements() == 0 ? 0 : w[2] * w[3];
  return row >= kShortRow && &sparse::entry_loops() != &sparse::kPlainLoops &&
         0.2 + 1.1 * sparse::density(dy) < 0.9 * dense_cost();
}

}  // namespace

Tensor gemm(const Tensor& a, const Tensor& b, GemmOptions options) {
  const auto [m, n, k] = gemm_sizes(a, b, options);
  const double products = static_cast<double>(m * n) * static_cast<double>(k);
  if (products < kSmallGemm || &sparse::entry_loops() == &sparse::kPlainLoops)
    return onednn::gemm(a, b, options);
  const auto skipping = [&](const Tensor& factor, std::int64_t row) {
    return row < kShortRow ? 2 * products : (0.2 + 1.4 * sparse::density(factor)) * products;
  };
  const auto of = [](std::int64_t r, std::int64_t c) { return static_cast<double>(r * c); };
  const double dense = dense_cost() * products,
               skip_a = skipping(a, n) + kTranspose * (options.transpose_a * of(m, k) +
                                                       options.transpose_b * of(k, n)),
               skip_b = skipping(b, m) + kTranspose * (!options.transpose_a * of(m, k) +
                                                       !options.transpose_b * of(k, n) + of(m, n));
  if (dense <= skip_a && dense <= skip_b) return onednn::gemm(a, b, options);
  return skip_a <= skip_b ? sparse::gemm(a, b, options) : sparse::gemm_of_sparse_b(a, b, options);
}

Tensor conv2d(const Tensor& x, const Tensor& w, const Window& window, const Tensor& bias) {
  return loops::convolves(x.shape(), w.shape(), window) ? loops::conv2d(x, w, window, bias)
                                                        : onednn::conv2d(x, w, window, bias);
}

Tensor conv2d_dx(const Tensor& dy, const Tensor& w, const Shape& x_shape, const Window& window) {
  return skips_zeros(dy, w.shape()) ? sparse::conv2d_dx(dy, w, x_shape, window)
                                    : onednn::conv2d_dx(dy, w, x_shape, window);
}

Tensor conv2d_dw(const Tensor& x, const Tensor& dy, const Shape& w_shape, const Window& window) {
  return skips_zeros(dy, w_shape) ? sparse::conv2d_dw(x, dy, w_shape, window)
                                  : onednn::conv2d_dw(x, dy, w_shape, window);
}

MaxPool2dResult max_pool2d(const Tensor& x, const Window& window) {
  return loops::pools(window) ? loops::max_pool2d(x, window) : onednn::max_pool2d(x, window);
}

Tensor max_pool2d_dx(const Tensor& dy, const Tensor& workspace, const Shape& x_shape,
                     const Window& window) {
  return loops::pools(window) ? loops::max_pool2d_dx(dy, workspace, x_shape, window)
                              : onednn::max_pool2d_dx(dy, workspace, x_shape, window);
}

}  // namespace espalier::kernels
