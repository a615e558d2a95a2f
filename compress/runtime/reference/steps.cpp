#include "compress/runtime/reference/steps.hpp"

#include <algorithm>

#include "core/kernels/conv2d.hpp"
#include "core/kernels/elementwise.hpp"
#include "core/kernels/gemm.hpp"
#include "core/kernels/integer.hpp"
#include "core/kernels/pool2d.hpp"

namespace espalier::runtime::reference {
namespace {

using format::LayerKind;
using format::PackedLayer;

kernels::Window window_of(const PackedLayer& l) {
  return {.kernel_h = l.kernel_h,
          .kernel_w = l.kernel_w,
          .stride_h = l.stride_h,
          .stride_w = l.stride_w,
          .pad_top = l.pad_top,
          .pad_left = l.pad_left,
          .pad_bottom = l.pad_bottom,
          .pad_right = l.pad_right};
}

Shape weight_shape(const PackedLayer& l) {
  return Shape(std::span<const std::int64_t>(l.weight.shape));
}

// acc = sum (q_x - z_x) q_w + bias for a convolution; a dense layer is one with a 1x1 image.
Tensor integer_sums(const PackedLayer& l, const Activation& x) {
  const bool conv = l.kind == LayerKind::kConv2d;
  const Shape in = conv ? x.values.shape() : Shape{x.values.shape()[0], 1, 1, x.values.shape()[1]};
  const Shape w = conv ? weight_shape(l) : Shape{l.weight.shape[0], 1, 1, l.weight.shape[1]};
  const kernels::Window v = window_of(l);
  const Shape out = kernels::convolved_shape(in, w, v);
  Tensor acc(out, DType::kInt32);
  const std::uint8_t* px = x.values.data<std::uint8_t>();
  std::int32_t* pa = acc.mutable_data<std::int32_t>();
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t p = 0; p < out[1]; ++p)
      for (std::int64_t q = 0; q < out[2]; ++q)
        for (std::int64_t o = 0; o < out[3]; ++o) {
          const auto channel = static_cast<std::size_t>(o);
          std::int32_t sum = l.bias_levels.empty()
                                 ? 0
                                 : l.bias_levels[channel] * (std::int32_t{1} << l.bias_shift);
          for (std::int64_t i = 0; i < v.kernel_h; ++i)
            for (std::int64_t j = 0; j < v.kernel_w; ++j) {
              const std::int64_t h = p * v.stride_h - v.pad_top + i,
                                 c = q * v.stride_w - v.pad_left + j;
              if (h < 0 || h >= in[1] || c < 0 || c >= in[2]) continue;
              const std::uint8_t* from = px + ((n * in[1] + h) * in[2] + c) * in[3];
              const std::int8_t* weights =
                  l.weight.levels.data() + ((o * v.kernel_h + i) * v.kernel_w + j) * in[3];
              for (std::int64_t k = 0; k < in[3]; ++k)
                sum += (from[k] - x.grid.zero_point) * weights[k];
            }
          *pa++ = sum;
        }
  return conv ? acc : acc.reshaped({out[0], out[3]});
}

Activation integer_linear(const PackedLayer& l, const Activation& x) {
  const Tensor acc = integer_sums(l, x);
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

Activation float_linear(const PackedLayer& l, const Activation& x) {
  const Tensor w = Tensor::from<float>(weight_shape(l), l.weight.values);
  Tensor y = l.kind == LayerKind::kConv2d ? kernels::conv2d(x.values, w, window_of(l))
                                          : kernels::gemm(x.values, w, {.transpose_b = true});
  if (!l.bias.empty()) y = kernels::add_bias(y, Tensor::from<float>({l.weight.shape[0]}, l.bias));
  return {l.relu ? kernels::relu(y) : y, {}};
}

Activation max_pool(const PackedLayer& l, const Activation& x) {
  if (x.grid.is_float()) return {kernels::max_pool2d(x.values, window_of(l)).y, {}};
  const kernels::Window v = window_of(l);
  const Shape in = x.values.shape(), out = kernels::pooled_shape(in, v);
  Tensor y(out, DType::kUint8);
  const std::uint8_t* px = x.values.data<std::uint8_t>();
  std::uint8_t* py = y.mutable_data<std::uint8_t>();
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t p = 0; p < out[1]; ++p)
      for (std::int64_t q = 0; q < out[2]; ++q)
        for (std::int64_t c = 0; c < out[3]; ++c, ++py)
          for (std::int64_t i = 0; i < v.kernel_h; ++i)
            for (std::int64_t j = 0; j < v.kernel_w; ++j) {
              const std::int64_t h = p * v.stride_h - v.pad_top + i,
                                 w = q * v.stride_w - v.pad_left + j;
              if (h < 0 || h >= in[1] || w < 0 || w >= in[2]) continue;
              *py = std::max(*py, px[((n * in[1] + h) * in[2] + w) * in[3] + c]);
            }
  return {y, x.grid};
}

Activation relu(const Activation& x) {
  if (x.grid.is_float()) return {kernels::relu(x.values), {}};
  Activation y{x.values.clone(), x.grid};
  for (auto& level : y.values.mutable_values<std::uint8_t>())
    level = std::max(level, static_cast<std::uint8_t>(x.grid.zero_point));
  return y;
}

}  // namespace

Activation run_layer(const PackedLayer& l, const Activation& x) {
  switch (l.kind) {
    case LayerKind::kConv2d:
    case LayerKind::kDense:
      require(
          l.weight.is_float() == x.grid.is_float(), "run", "layer ", l.name, " has ",
          l.weight.is_float() ? "float weights and levels as input" : "levels and a float input");
      return l.weight.is_float() ? float_linear(l, x) : integer_linear(l, x);
    case LayerKind::kMaxPool2d:
      return max_pool(l, x);
    case LayerKind::kRelu:
      return relu(x);
    case LayerKind::kFlatten: {
      const std::int64_t n = x.values.shape()[0];
      return {x.values.reshaped({n, n ? x.values.elements() / n : 0}), x.grid};
    }
    case LayerKind::kAveragePool2d:
      require(x.grid.is_float(), "run", "layer ", l.name,
              ": average pooling of levels cannot run yet");
      return {kernels::average_pool2d(x.values, window_of(l)), {}};
    case LayerKind::kBatchNorm:
      break;
  }
  fail(ErrorKind::kUsage, "run", "layer ", l.name, ": batch norm cannot run yet");
}

}  // namespace espalier::runtime::reference
