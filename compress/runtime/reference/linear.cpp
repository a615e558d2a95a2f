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

// [O KH KW I] to [KH KW I O]: the innermost loop then runs over the outputs, side by side.
std::vector<std::int32_t> outputs_innermost(const PackedLayer& l) {
  const auto& levels = l.weight.levels;
  const auto outputs = static_cast<std::size_t>(l.weight.shape[0]);
  const std::size_t inputs = levels.size() / outputs;
  std::vector<std::int32_t> w(levels.size());
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 0; i < inputs; ++i) w[i * outputs + o] = levels[o * inputs + i];
  return w;
}

// acc = sum (q_x - z_x) q_w + bias of x [N H W C]: [N OH OW O]. A dense layer is a convolution of a
// 1x1 image with a 1x1 kernel.
Tensor integer_sums(const PackedLayer& l, const Tensor& x, std::int32_t zero_point) {
  const kernels::Window v = window_of(l);
  const Shape in = x.shape(), out{in[0], v.out_h(in[1]), v.out_w(in[2]), l.weight.shape[0]};
  const std::int64_t outputs = out[3];
  std::vector<std::int32_t> bias(static_cast<std::size_t>(outputs));
  for (std::size_t o = 0; o < l.bias_levels.size(); ++o)
    bias[o] = l.bias_levels[o] * (std::int32_t{1} << l.bias_shift);
  const std::vector<std::int32_t> w = outputs_innermost(l);
  const std::uint8_t* levels = x.data<std::uint8_t>();
  Tensor acc = Tensor::uninitialized(out, DType::kInt32);
  std::int32_t* sums = acc.mutable_data<std::int32_t>();
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t p = 0; p < out[1]; ++p)
      for (std::int64_t q = 0; q < out[2]; ++q, sums += outputs) {
        std::copy(bias.begin(), bias.end(), sums);
        for (std::int64_t i = 0; i < v.kernel_h; ++i)
          for (std::int64_t j = 0; j < v.kernel_w; ++j) {
            const std::int64_t row = p * v.stride_h - v.pad_top + i,
                               column = q * v.stride_w - v.pad_left + j;
            if (row < 0 || row >= in[1] || column < 0 || column >= in[2]) continue;
            const std::uint8_t* from = levels + ((n * in[1] + row) * in[2] + column) * in[3];
            const std::int32_t* weights = w.data() + (i * v.kernel_w + j) * in[3] * outputs;
            for (std::int64_t k = 0; k < in[3]; ++k, weights += outputs) {
              const std::int32_t value = from[k] - zero_point;
              for (std::int64_t o = 0; o < outputs; ++o) sums[o] += value * weights[o];
            }
          }
      }
  return acc;
}

Activation integer_linear(const PackedLayer& l, const Activation& x) {
  const Tensor acc = integer_sums(l, x.values, x.grid.zero_point);
  const auto sums = acc.values<std::int32_t>();
  const auto channels = static_cast<std::size_t>(l.weight.shape[0]);
  const auto scale = [&](std::size_t i) {
    return l.weight.scales[l.weight.scales.size() == 1 ? 0 : i % channels];
  };
  if (l.output.is_float()) {
    Tensor logits = Tensor::uninitialized(acc.shape());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const float real = static_cast<float>(sums[i]) * (x.grid.scale * scale(i));
      logits.mutable_values()[i] = l.relu ? std::max(real, 0.0f) : real;
    }
    return {logits, {}};
  }
  Tensor levels = Tensor::uninitialized(acc.shape(), DType::kUint8);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const float m = kernels::requantize_multiplier(x.grid.scale, scale(i), l.output.scale);
    const std::int32_t level = kernels::requantize(sums[i], m, l.output.zero_point);
    levels.mutable_values<std::uint8_t>()[i] =
        static_cast<std::uint8_t>(l.relu ? std::max(level, l.output.zero_point) : level);
  }
  return {levels, l.output};
}

Tensor float_sums(const PackedLayer& l, const Tensor& x) {
  const Tensor w = Tensor::from<float>(weight_shape(l), l.weight.values);
  if (l.kind == LayerKind::kConv2d) return kernels::conv2d(x, w, window_of(l));
  const std::int64_t n = x.shape()[0];
  return kernels::gemm(x.reshaped({n, x.shape()[3]}), w, {.transpose_b = true})
      .reshaped({n, 1, 1, l.weight.shape[0]});
}

Activation float_linear(const PackedLayer& l, const Activation& x) {
  Tensor y = float_sums(l, x.values);
  if (!l.bias.empty()) y = kernels::add_bias(y, Tensor::from<float>({l.weight.shape[0]}, l.bias));
  return {l.relu ? kernels::relu(y) : y, {}};
}

}  // namespace

Activation linear(const PackedLayer& l, const Activation& x) {
  return l.weight.is_float() ? float_linear(l, x) : integer_linear(l, x);
}

}  // namespace espalier::runtime::reference
