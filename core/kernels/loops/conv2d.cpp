#include "core/kernels/conv2d.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/kernels/checks.hpp"
#include "core/kernels/loops/planes.hpp"
#include "core/onednn/isa.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::kernels::loops {
bool convolves(const Shape& x, const Shape& w, const Window& window) {
#if defined(__x86_64__)
  return w.rank() == 4 && x.rank() == 4 && w[0] <= kMostOutputs && w[3] <= 4 &&
         window.stride_w == 1 && x[1] * x[2] <= 1 << 20 && vector_isa() >= VectorIsa::kVnni;
#else
  return false;
#endif
}

Tensor conv2d(const Tensor& x, const Tensor& w, const Window& window, const Tensor& bias) {
  const Shape shape = convolved_shape(x.shape(), w.shape(), window);
  check_conv_bias(bias, w.shape());
  require(convolves(x.shape(), w.shape(), window), ErrorKind::kInternal, "conv2d",
          "has no loops for ", x.shape(), " and weights ", w.shape());
  if (x.elements() == 0 || w.elements() == 0) return Tensor(shape);
#if defined(__x86_64__)
  const std::int64_t outputs = shape[3];
  const Planes planes(x.shape(), window);
  static thread_local std::vector<std::int32_t> taps;  // kept from call to call
  static thread_local std::vector<float> weights;
  planes.taps(taps);
  tap_by_tap(w.data(), outputs, std::ssize(taps), weights);
  std::array<float, kMostOutputs> start{};
  if (bias.defined()) std::ranges::copy(bias.values(), start.begin());
  const OutputRow r{shape[2], outputs, taps, weights.data(), start.data()};
  Tensor y = Tensor::uninitialized(shape);
  const float* from = x.data();
  float* to = y.mutable_data();
  const double work = static_cast<double>(y.elements() * std::ssize(taps));
  in_parallel(shape[0], work, [&](std::int64_t begin, std::int64_t end) {
    static thread_local std::vector<float> padded;
    padded.assign(static_cast<std::size_t>(planes.channels * planes.plane), 0);
    for (std::int64_t n = begin; n < end; ++n) {
      planes.read(from + n * planes.image(), padded);
      for (std::int64_t p = 0; p < shape[1]; ++p)
        row_avx512(padded.data() + p * window.stride_h * planes.row,
                   to + (n * shape[1] + p) * shape[2] * outputs, r);
    }
  });
  return y;
#else
  return Tensor(shape);  // convolves() said no
#endif
}

}  // namespace espalier::kernels::loops
