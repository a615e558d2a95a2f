#include "core/kernels/conv2d.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/kernels/checks.hpp"
#include "core/kernels/loops/few_inputs.hpp"
#include "core/onednn/isa.hpp"
#include "core/onednn/threads.hpp"

namespace espalier::kernels::loops {
namespace {

// One image, padded, each channel by itself: [C, PH, PW].
struct Planes {
  Planes(const Shape& x, const Window& window)
      : v(window),
        height(x[1]),
        width(x[2]),
        channels(x[3]),
        row(width + v.pad_left + v.pad_right),
        plane((height + v.pad_top + v.pad_bottom) * row) {}

  void read(const float* image, std::vector<float>& to) const {
    for (std::int64_t h = 0; h < height; ++h)
      for (std::int64_t c = 0; c < channels; ++c) {
        const float* from = image + h * width * channels + c;
        float* line = to.data() + c * plane + (h + v.pad_top) * row + v.pad_left;
        for (std::int64_t w = 0; w < width; ++w) line[w] = from[w * channels];
      }
  }
  // In the order of the weights, [KH KW C].
  void taps(std::vector<std::int32_t>& offsets) const {
    offsets.clear();
    for (std::int64_t i = 0; i < v.kernel_h; ++i)
      for (std::int64_t j = 0; j < v.kernel_w; ++j)
        for (std::int64_t c = 0; c < channels; ++c)
          offsets.push_back(static_cast<std::int32_t>(c * plane + i * row + j));
  }

  Window v;
  std::int64_t height, width, channels, row, plane;
};

// [outputs x taps] tap by tap, filled up with zeros to kMostOutputs.
void tap_by_tap(const float* from, std::int64_t outputs, std::int64_t taps,
                std::vector<float>& to) {
  to.assign(static_cast<std::size_t>(taps * kMostOutputs), 0);
  for (std::int64_t o = 0; o < outputs; ++o)
    for (std::int64_t t = 0; t < taps; ++t)
      to[static_cast<std::size_t>(t * kMostOutputs + o)] = from[o * taps + t];
}

}  // namespace

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
      planes.read(from + n * planes.height * planes.width * planes.channels, padded);
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
