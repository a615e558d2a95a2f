// Depthwise convolution, the plain way: each channel of each window by itself.
#include <algorithm>

#include "compress/runtime/reference/steps.hpp"
#include "compress/runtime/stages.hpp"
#include "core/kernels/depthwise_conv2d.hpp"
#include "core/kernels/elementwise.hpp"

namespace espalier::runtime::reference {
namespace {

using format::PackedLayer;

// y = sum over the window's pixels inside of the image, row after row, of value(x, w); then + bias(c).
// x: [N H W C] of T   w: [C KH KW]   y: [N OH OW C] of Y, sums in Sum.
template <class Y, class Sum, class T, class W, class Value, class Bias>
Tensor sums_of(const PackedLayer& l, const Tensor& x, const std::vector<W>& w, DType dtype,
               Value value, Bias bias) {
  const kernels::Window v = window_of(l);
  const Shape in = x.shape(), out{in[0], v.out_h(in[1]), v.out_w(in[2]), in[3]};
  const auto channels = static_cast<std::size_t>(in[3]), taps = w.size() / channels;
  std::vector<W> columns(w.size());  // [KH KW C]
  for (std::size_t k = 0; k < w.size(); ++k) columns[k % taps * channels + k / taps] = w[k];
  std::vector<Sum> sums(channels);
  Tensor y = Tensor::uninitialized(out, dtype);
  Y* to = y.mutable_data<Y>();
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t p = 0; p < out[1]; ++p)
      for (std::int64_t q = 0; q < out[2]; ++q) {
        std::ranges::fill(sums, Sum{0});
        for (std::int64_t i = 0; i < v.kernel_h; ++i)
          for (std::int64_t j = 0; j < v.kernel_w; ++j) {
            const std::int64_t h = p * v.stride_h - v.pad_top + i,
                               k = q * v.stride_w - v.pad_left + j;
            if (h < 0 || h >= in[1] || k < 0 || k >= in[2]) continue;
            const T* pixel = x.data<T>() + ((n * in[1] + h) * in[2] + k) * in[3];
            const W* tap = columns.data() + (i * v.kernel_w + j) * in[3];
            for (std::size_t c = 0; c < channels; ++c) sums[c] += value(pixel[c], tap[c]);
          }
        for (std::size_t c = 0; c < channels; ++c) *to++ = static_cast<Y>(sums[c] + bias(c));
      }
  return y;
}

}  // namespace

Activation integer_depthwise(const PackedLayer& l, const Activation& x) {
  const auto product = [zero = x.grid.zero_point](std::int32_t level, std::int32_t weight) {
    return (level - zero) * weight;
  };
  const auto bias = [&](std::size_t c) {
    return l.bias_levels.empty() ? 0 : l.bias_levels[c] * (std::int32_t{1} << l.bias_shift);
  };
  return scaled(l, x.grid,
                sums_of<std::int32_t, std::int32_t, std::uint8_t>(l, x.values, l.weight.levels,
                                                                  DType::kInt32, product, bias));
}

Activation float_depthwise(const PackedLayer& l, const Activation& x, Sums sums) {
  const std::vector<float> w = float_weights(l.weight);
  const std::int64_t channels = l.weight.shape[0];
  if (sums == Sums::kOrdered) {
    const auto product = [](double value, double weight) { return value * weight; };
    const auto bias = [&](std::size_t c) { return l.bias.empty() ? 0.0 : double{l.bias[c]}; };
    const Tensor y = sums_of<float, double, float>(l, x.values, w, DType::kFloat32, product, bias);
    return {l.relu ? kernels::relu(y) : y, {}};
  }
  Tensor y = kernels::depthwise_conv2d(
      x.values, Tensor::from<float>({channels, l.kernel_h, l.kernel_w, 1}, w), window_of(l));
  if (!l.bias.empty()) y = kernels::add_bias(y, Tensor::from<float>({channels}, l.bias));
  return {l.relu ? kernels::relu(y) : y, {}};
}

}  // namespace espalier::runtime::reference
