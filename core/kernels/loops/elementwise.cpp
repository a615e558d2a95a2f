#include "core/kernels/elementwise.hpp"

#include <algorithm>
#include <array>

#include "core/base/clones.hpp"
#include "core/onednn/threads.hpp"

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

// Calls part(begin, end) with runs of [0, n): whole registers each, of which every float reads and
// writes `bytes` of memory. No number depends on where the runs end.
template <class Part>
void in_runs(std::int64_t n, std::int64_t bytes, const Part& part) {
  constexpr std::int64_t kRun = 64;
  in_parallel(
      (n + kRun - 1) / kRun, kWorkOfByte * static_cast<double>(bytes * n),
      [&](std::int64_t begin, std::int64_t end) { part(begin * kRun, std::min(end * kRun, n)); });
}

// Sixteen rows of few channels are one row of sixteen times as many: whole registers for any number
// of channels.
constexpr std::int64_t kRowsAtOnce = 16, kFewChannels = 64;
using WideRow = std::array<float, kRowsAtOnce * kFewChannels>;

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) {
  require(a.shape() == b.shape(), "add", "shapes differ: ", a.shape(), " and ", b.shape());
  Tensor y = Tensor::uninitialized(a.shape());
  const float *pa = a.data(), *pb = b.data();
  float* py = y.mutable_data();
  in_runs(a.elements(), 12, [&](std::int64_t begin, std::int64_t end) {
    add_each(pa + begin, pb + begin, py + begin, end - begin);
  });
  return y;
}

Tensor multiply(const Tensor& a, const Tensor& b) {
  require(a.shape() == b.shape(), "multiply", "shapes differ: ", a.shape(), " and ", b.shape());
  Tensor y = Tensor::uninitialized(a.shape());
  const float *pa = a.data(), *pb = b.data();
  float* py = y.mutable_data();
  in_runs(a.elements(), 12, [&](std::int64_t begin, std::int64_t end) {
    multiply_each(pa + begin, pb + begin, py + begin, end - begin);
  });
  return y;
}

Tensor relu(const Tensor& x) {
  Tensor y = Tensor::uninitialized(x.shape());
  const float* px = x.data();
  float* py = y.mutable_data();
  in_runs(x.elements(), 8, [&](std::int64_t begin, std::int64_t end) {
    relu_each(px + begin, py + begin, end - begin);
  });
  return y;
}

Tensor relu_dx(const Tensor& dy, const Tensor& y) {
  require(dy.shape() == y.shape(), "relu_dx", "shapes differ: ", dy.shape(), " and ", y.shape());
  Tensor dx = Tensor::uninitialized(y.shape());
  const float *pdy = dy.data(), *py = y.data();
  float* pdx = dx.mutable_data();
  in_runs(y.elements(), 12, [&](std::int64_t begin, std::int64_t end) {
    relu_dx_each(pdy + begin, py + begin, pdx + begin, end - begin);
  });
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
    const std::int64_t size = kRowsAtOnce * channels;
    in_parallel(done / kRowsAtOnce, kWorkOfByte * 8 * static_cast<double>(x.elements()),
                [&](std::int64_t begin, std::int64_t end) {
                  add_rows(px + begin * size, wide.data(), py + begin * size, end - begin, size);
                });
  }
  in_parallel(rows - done, kWorkOfByte * 8 * static_cast<double>((rows - done) * channels),
              [&](std::int64_t begin, std::int64_t end) {
                const std::int64_t at = (done + begin) * channels;
                add_rows(px + at, pb, py + at, end - begin, channels);
              });
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
