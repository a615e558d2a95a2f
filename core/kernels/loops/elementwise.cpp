#include "core/kernels/elementwise.hpp"

#include <algorithm>
#include <array>

#include "core/base/clones.hpp"

namespace espalier::kernels::loops {
namespace {

ESPALIER_CLONES void add_each(const float* a, const float* b, float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
}
ESPALIER_CLONES void multiply_each(const float* a, const float* b, float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) y[i] = a[i] * b[i];
}
ESPALIER_CLONES void relu_each(const float* x, float* y, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = x[i] < 0 ? 0.0f : x[i];  // NaN passes: it must be seen
}
ESPALIER_CLONES void relu_dx_each(const float* dy, const float* y, float* dx, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) dx[i] = y[i] > 0 ? dy[i] : 0.0f;
}
// y[r, c] = x[r, c] + b[c]
ESPALIER_CLONES void add_rows(const float* x, const float* b, float* y, std::int64_t rows,
                              std::int64_t channels) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < channels; ++c) y[r * channels + c] = x[r * channels + c] + b[c];
}
// sums[c] += x[r, c]
ESPALIER_CLONES void sum_rows(const float* x, float* sums, std::int64_t rows,
                              std::int64_t channels) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < channels; ++c) sums[c] += x[r * channels + c];
}

// Sixteen rows of few channels are one row of sixteen times as many: whole registers for any number
// of channels.
constexpr std::int64_t kRowsAtOnce = 16, kFewChannels = 64;
using WideRow = std::array<float, kRowsAtOnce * kFewChannels>;

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  require(a.shape() == b.shape(), "add", "shapes differ: ", a.shape(), " and ", b.shape());
  Tensor y = Tensor::uninitialized(a.shape());
  add_each(a.data(), b.data(), y.mutable_data(), a.elements());
  return y;
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  require(a.shape() == b.shape(), "multiply", "shapes differ: ", a.shape(), " and ", b.shape());
  Tensor y = Tensor::uninitialized(a.shape());
  multiply_each(a.data(), b.data(), y.mutable_data(), a.elements());
  return y;
}

Tensor relu(const Tensor& x) {
  Tensor y = Tensor::uninitialized(x.shape());
  relu_each(x.data(), y.mutable_data(), x.elements());
  return y;
}

Tensor relu_dx(const Tensor& dy, const Tensor& y) {
  require(dy.shape() == y.shape(), "relu_dx", "shapes differ: ", dy.shape(), " and ", y.shape());
  Tensor dx = Tensor::uninitialized(y.shape());
  relu_dx_each(dy.data(), y.data(), dx.mutable_data(), y.elements());
  return dx;
}

Tensor add_bias(const Tensor& x, const Tensor& b) {
  require(x.shape().rank() >= 1 && b.shape() == Shape{x.shape()[-1]}, "add_bias", "input ",
          x.shape(), " wants a bias of its innermost size, got ", b.shape());
  Tensor y = Tensor::uninitialized(x.shape());
  if (x.elements() == 0) return y;
  const std::int64_t channels = b.elements(), rows = x.elements() / channels;
  const float *px = x.data(), *pb = b.data();
  float* py = y.mutable_data();
  std::int64_t done = 0;
  if (channels <= kFewChannels) {
    WideRow wide;
    for (std::int64_t r = 0; r < kRowsAtOnce; ++r)
      std::copy_n(pb, channels, wide.begin() + r * channels);
    done = rows - rows % kRowsAtOnce;
    add_rows(px, wide.data(), py, done / kRowsAtOnce, kRowsAtOnce * channels);
  }
  add_rows(px + done * channels, pb, py + done * channels, rows - done, channels);
  return y;
}

Tensor sum_to_channels(const Tensor& x) {
  require(x.shape().rank() >= 1, "sum_to_channels", "wants at least one axis, got ", x.shape());
  const std::int64_t channels = x.shape()[-1];
  Tensor sums({channels});
  if (x.elements() == 0) return sums;
  const std::int64_t rows = x.elements() / channels;
  const float* px = x.data();
  float* total = sums.mutable_data();
  std::int64_t done = 0;
  if (channels <= kFewChannels) {
    WideRow wide{};
    done = rows - rows % kRowsAtOnce;
    sum_rows(px, wide.data(), done / kRowsAtOnce, kRowsAtOnce * channels);
    sum_rows(wide.data(), total, kRowsAtOnce, channels);
  }
  sum_rows(px + done * channels, total, rows - done, channels);
  return sums;
}

}  // namespace espalier::kernels::loops
