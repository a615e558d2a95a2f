#include <algorithm>
#include <vector>

#include "compress/runtime/reference/steps.hpp"
#include "compress/runtime/stages.hpp"
#include "core/kernels/conv2d.hpp"
#include "core/kernels/elementwise.hpp"
#include "core/kernels/gemm.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::runtime::reference {
namespace {

using format::LayerKind;
using format::PackedLayer;

Shape weight_shape(const PackedLayer& l) {
  return Shape(std::span<const std::int64_t>(l.weight.shape));
}

// What the window at row `top` and column `left` of one image sees, [KH KW C]: level - zero point,
// and 0 outside of the image.
void read_window(const std::uint8_t* image, const Shape& in, const kernels::Window& v,
                 std::int64_t top, std::int64_t left, std::int32_t zero_point,
                 std::vector<std::int16_t>& seen) {
  const std::int64_t height = in[1], width = in[2], channels = in[3];
  auto to = seen.begin();
  for (std::int64_t h = top; h < top + v.kernel_h; ++h)
    for (std::int64_t w = left; w < left + v.kernel_w; ++w) {
      const bool inside = h >= 0 && h < height && w >= 0 && w < width;
      const std::uint8_t* from = inside ? image + (h * width + w) * channels : nullptr;
      for (std::int64_t c = 0; c < channels; ++c)
        *to++ = static_cast<std::int16_t>(inside ? from[c] - zero_point : 0);
    }
}

// acc = sum (q_x - z_x) q_w + bias of x [N H W C]: [N OH OW O]. A dense layer is a convolution of a
// 1x1 image with a 1x1 kernel.
Tensor integer_sums(const PackedLayer& l, const Tensor& x, std::int32_t zero_point) {
  const kernels::Window v = window_of(l);
  const Shape in = x.shape(), out{in[0], v.out_h(in[1]), v.out_w(in[2]), l.weight.shape[0]};
  // 16 bits, as a compiler can vectorise their products into 32.
  const std::vector<std::int16_t> weights(l.weight.levels.begin(), l.weight.levels.end());
  const auto outputs = static_cast<std::size_t>(out[3]);
  const std::size_t inputs = weights.size() / outputs;
  std::vector<std::int16_t> seen(inputs);
  Tensor acc = Tensor::uninitialized(out, DType::kInt32);
  std::int32_t* to = acc.mutable_data<std::int32_t>();
  const std::uint8_t* image = x.data<std::uint8_t>();
  for (std::int64_t n = 0; n < out[0]; ++n, image += in[1] * in[2] * in[3])
    for (std::int64_t p = 0; p < out[1]; ++p)
      for (std::int64_t q = 0; q < out[2]; ++q) {
        read_window(image, in, v, p * v.stride_h - v.pad_top, q * v.stride_w - v.pad_left,
                    zero_point, seen);
        for (std::size_t o = 0; o < outputs; ++o) {
          const std::int16_t *w = weights.data() + o * inputs, *s = seen.data();
          std::int32_t sum = 0;
          for (std::size_t i = 0; i < inputs; ++i) sum += s[i] * w[i];
          if (!l.bias_levels.empty()) sum += l.bias_levels[o] * (std::int32_t{1} << l.bias_shift);
          *to++ = sum;
        }
      }
  return acc;
}

float weight_scale(const PackedLayer& l, std::size_t channel) {
  return l.weight.scales[l.weight.scales.size() == 1 ? 0 : channel];
}

}  // namespace

Activation integer_linear(const PackedLayer& l, const Activation& x) {
  return scaled(l, x.grid, integer_sums(l, x.values, x.grid.zero_point));
}

Activation scaled(const PackedLayer& l, const format::ActivationGrid& x, const Tensor& acc) {
  const auto sums = acc.values<std::int32_t>();
  const auto channels = static_cast<std::size_t>(l.weight.shape[0]);
  if (l.output.is_float()) {
    Tensor logits = Tensor::uninitialized(acc.shape());
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t i = c; i < sums.size(); i += channels) {
        const float real = static_cast<float>(sums[i]) * (x.scale * weight_scale(l, c));
        logits.mutable_data()[i] = l.relu ? std::max(real, 0.0f) : real;
      }
    return {logits, {}};
  }
  std::vector<float> multipliers;
  for (std::size_t c = 0; c < channels; ++c)
    multipliers.push_back(
        kernels::requantize_multiplier(x.scale, weight_scale(l, c), l.output.scale));
  Tensor levels = Tensor::uninitialized(acc.shape(), DType::kUint8);
  std::uint8_t* to = levels.mutable_data<std::uint8_t>();
  for (std::size_t i = 0; i < sums.size(); i += channels)
    for (std::size_t c = 0; c < channels; ++c) {
      const std::int32_t level =
          kernels::requantize(sums[i + c], multipliers[c], l.output.zero_point);
      *to++ = static_cast<std::uint8_t>(l.relu ? std::max(level, l.output.zero_point) : level);
    }
  return {levels, l.output};
}

namespace {

// x and w, as kernels::conv2d takes them; float64 sums of exact products, the bias last.
Tensor ordered_sums(const Tensor& x, const Tensor& w, const kernels::Window& v,
                    const std::vector<float>& bias) {
  const Shape in = x.shape(), out{in[0], v.out_h(in[1]), v.out_w(in[2]), w.shape()[0]};
  Tensor y = Tensor::uninitialized(out);
  float* to = y.mutable_data();
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t p = 0; p < out[1]; ++p)
      for (std::int64_t q = 0; q < out[2]; ++q)
        for (std::int64_t o = 0; o < out[3]; ++o) {
          double sum = 0;
          for (std::int64_t i = 0; i < v.kernel_h; ++i)
            for (std::int64_t j = 0; j < v.kernel_w; ++j) {
              const std::int64_t h = p * v.stride_h - v.pad_top + i,
                                 k = q * v.stride_w - v.pad_left + j;
              if (h < 0 || h >= in[1] || k < 0 || k >= in[2]) continue;
              const float* from = x.data() + ((n * in[1] + h) * in[2] + k) * in[3];
              const float* weights = w.data() + ((o * v.kernel_h + i) * v.kernel_w + j) * in[3];
              for (std::int64_t c = 0; c < in[3]; ++c)
                sum += static_cast<double>(from[c]) * static_cast<double>(weights[c]);
            }
          if (!bias.empty()) sum += static_cast<double>(bias[static_cast<std::size_t>(o)]);
          *to++ = static_cast<float>(sum);
        }
  return y;
}

Tensor fast_sums(const PackedLayer& l, const Tensor& x, const Tensor& w) {
  const std::int64_t n = x.shape()[0], channels = l.weight.shape[0];
  Tensor y = l.kind == LayerKind::kConv2d
                 ? kernels::conv2d(x, w, window_of(l))
                 : kernels::gemm(x.reshaped({n, x.shape()[3]}), w, {.transpose_b = true})
                       .reshaped({n, 1, 1, channels});
  return l.bias.empty() ? y : kernels::add_bias(y, Tensor::from<float>({channels}, l.bias));
}

}  // namespace

Activation float_linear(const PackedLayer& l, const Activation& x, Sums sums) {
  const Tensor w = Tensor::from<float>(weight_shape(l), float_weights(l.weight));
  const Tensor y = sums == Sums::kOrdered ? ordered_sums(x.values, w, window_of(l), l.bias)
                                          : fast_sums(l, x.values, w);
  return {l.relu ? kernels::relu(y) : y, {}};
}

}  // namespace espalier::runtime::reference
