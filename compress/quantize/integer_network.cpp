#include "compress/quantize/integer_network.hpp"

#include <cmath>

#include "core/kernels/conv2d.hpp"
#include "core/kernels/depthwise_conv2d.hpp"
#include "core/kernels/elementwise.hpp"
#include "core/kernels/gemm.hpp"
#include "core/kernels/integer.hpp"
#include "core/kernels/ordered_product.hpp"
#include "core/kernels/pool2d.hpp"
#include "core/kernels/precision.hpp"
#include "core/kernels/window.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/depthwise_conv2d.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/residual.hpp"

namespace espalier::quantize {
namespace {

// f(number, channel)
template <class F>
Tensor map_channels(const Tensor& x, std::size_t channels, F f) {
  Tensor y = Tensor::uninitialized(x.shape());
  const float* from = x.data();
  float* to = y.mutable_data();
  for (std::int64_t left = x.elements(); left > 0; left -= static_cast<std::int64_t>(channels))
    for (std::size_t c = 0; c < channels; ++c) *to++ = static_cast<float>(f(*from++, c));
  return y;
}

// f(number, place)
template <class F>
Tensor map(const Tensor& x, F f) {
  return map_channels(x, static_cast<std::size_t>(x.elements()), f);
}

// x by w, without bias: of levels, exact.
Tensor products(const Layer& linear, const Tensor& x, const Tensor& w) {
  const kernels::PrecisionInScope exact(kernels::Precision::kFloat32);
  if (const auto* conv = dynamic_cast<const Conv2d*>(&linear))
    return kernels::conv2d(x, w, conv->window(x.shape()));
  if (const auto* depthwise = dynamic_cast<const DepthwiseConv2d*>(&linear))
    return kernels::depthwise_conv2d(x, w, depthwise->window(x.shape()));
  return kernels::gemm(x, w, {.transpose_b = true});
}

const Shape& weight_shape(const Layer& linear) {
  if (const auto* conv = dynamic_cast<const Conv2d*>(&linear))
    return conv->weight().latent().shape();
  if (const auto* depthwise = dynamic_cast<const DepthwiseConv2d*>(&linear))
    return depthwise->weight().latent().shape();
  return dynamic_cast<const Dense&>(linear).weight().latent().shape();
}

// Levels less their zero point: zero padding is then the real 0.
Tensor sums(const IntegerLayer& l, const Tensor& x) {
  Tensor w = Tensor::uninitialized(weight_shape(*l.layer));
  std::ranges::copy(l.levels, w.mutable_values().begin());
  Tensor bias({static_cast<std::int64_t>(l.bias_levels.size())});
  for (std::size_t c = 0; c < l.bias_levels.size(); ++c)
    bias.mutable_values()[c] = static_cast<float>(l.bias_levels[c]);
  return kernels::add_bias(products(*l.layer, x, w), bias);
}

// y = mean(sum, count) over each window, channel by channel, of value(x); padding is left out.
template <class Sum, class Value, class Mean>
Tensor average(const Tensor& x, const kernels::Window& window, Value value, Mean mean) {
  const Shape in = x.shape(), out = kernels::pooled_shape(in, window);
  Tensor y = Tensor::uninitialized(out);
  float* to = y.mutable_data();
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t p = 0; p < out[1]; ++p)
      for (std::int64_t q = 0; q < out[2]; ++q) {
        const std::int64_t top = p * window.stride_h - window.pad_top,
                           left = q * window.stride_w - window.pad_left;
        const std::int64_t h0 = std::max<std::int64_t>(top, 0),
                           h1 = std::min(top + window.kernel_h, in[1]),
                           w0 = std::max<std::int64_t>(left, 0),
                           w1 = std::min(left + window.kernel_w, in[2]);
        for (std::int64_t c = 0; c < out[3]; ++c) {
          Sum sum = 0;
          for (std::int64_t h = h0; h < h1; ++h)
            for (std::int64_t w = w0; w < w1; ++w)
              sum += value(x.data()[((n * in[1] + h) * in[2] + w) * in[3] + c]);
          *to++ = static_cast<float>(mean(sum, static_cast<std::int32_t>((h1 - h0) * (w1 - w0))));
        }
      }
  return y;
}

// The mean is taken of the stored levels, zero point included: half to even depends on it.
Tensor average_levels(const Tensor& x, const kernels::Window& window, std::int32_t zero_point) {
  return average<std::int32_t>(
      x, window, [&](float q) { return static_cast<std::int32_t>(q) + zero_point; },
      [&](std::int32_t sum, std::int32_t n) {
        return kernels::average_level(sum, n) - zero_point;
      });
}

Tensor average_floats(const Tensor& x, const kernels::Window& window) {
  return average<double>(
      x, window, [](float v) { return static_cast<double>(v); },
      [](double sum, std::int32_t n) { return sum / n; });
}

// Real numbers x, [N H W C]; sums in float64 and in order.
template <class Product>
Tensor float_sums(Product product, const Tensor& x, const kernels::Window& v) {
  const Shape in = x.shape();
  const Shape out{in[0], v.out_h(in[1]), v.out_w(in[2]),
                  static_cast<std::int64_t>(product.outputs())};
  Tensor y = Tensor::uninitialized(out);
  std::vector<float> seen;
  std::size_t at = 0;
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t p = 0; p < out[1]; ++p)
      for (std::int64_t q = 0; q < out[2]; ++q, at += product.outputs()) {
        seen.clear();
        for (std::int64_t i = 0; i < v.kernel_h; ++i)
          for (std::int64_t j = 0; j < v.kernel_w; ++j) {
            const std::int64_t h = p * v.stride_h - v.pad_top + i,
                               w = q * v.stride_w - v.pad_left + j;
            const bool inside = h >= 0 && h < in[1] && w >= 0 && w < in[2];
            for (std::int64_t c = 0; c < in[3]; ++c)
              seen.push_back(inside ? x.data()[((n * in[1] + h) * in[2] + w) * in[3] + c] : 0.0f);
          }
        product.run(seen, y.mutable_values().subspan(at, product.outputs()));
      }
  return y;
}

Tensor float_sums(const IntegerLayer& l, const Tensor& x) {
  const std::size_t outputs = l.bias.size();
  if (const auto* depthwise = dynamic_cast<const DepthwiseConv2d*>(l.layer))
    return float_sums(kernels::OrderedDepthwise(l.values, l.bias, outputs), x,
                      depthwise->window(x.shape()));
  const kernels::OrderedProduct product(l.values, l.bias, outputs);
  if (const auto* conv = dynamic_cast<const Conv2d*>(l.layer))
    return float_sums(product, x, conv->window(x.shape()));
  const std::int64_t n = x.shape()[0];
  return float_sums(product, x.reshaped({n, 1, 1, x.shape()[1]}), {})
      .reshaped({n, static_cast<std::int64_t>(outputs)});
}

// What a layer that stays in float computes of real numbers.
Tensor float_layer(const IntegerLayer& l, const Tensor& x) {
  if (l.forward) return l.forward(x);
  const std::size_t channels = l.multiplier.size();
  const Tensor y = channels == 0 ? float_sums(l, x) : map(x, [&](float v, std::size_t i) {
    return v * l.multiplier[i % channels] + l.offset[i % channels];
  });
  return l.relu ? kernels::relu(y) : y;
}

}  // namespace

namespace {

struct Stage {
  Tensor x;
  std::optional<ActivationGrid> grid;  // none: x holds real numbers; else level - zero_point
};

Stage quantized(const Tensor& reals, const std::optional<ActivationGrid>& to) {
  if (!to) return {reals, to};
  const auto level = [&](float v, std::size_t) {
    return kernels::activation_level(v, to->scale, to->zero_point) - to->zero_point;
  };
  return {map(reals, level), to};
}

Tensor reals_of(const Stage& s) {
  return s.grid ? map(s.x, [&](float q, std::size_t) { return q * s.grid->scale; }) : s.x;
}

// one + other, both on grids.
Stage sum_of(const IntegerLayer& l, const Stage& one, const Stage& other) {
  const ActivationGrid to = *l.output;
  const float m = one.grid->scale / to.scale, n = other.grid->scale / to.scale;
  const auto level = [&](float q, std::size_t i) {
    const auto a = kernels::summand(static_cast<std::int32_t>(q), 0, m),
               b = kernels::summand(static_cast<std::int32_t>(other.x.values()[i]), 0, n);
    return kernels::sum_level(a, b, to.zero_point, l.relu ? to.zero_point : 0) - to.zero_point;
  };
  return {map(one.x, level), to};
}

Stage norm_of(const IntegerLayer& l, const Stage& in) {
  const ActivationGrid next = *l.output;
  const std::size_t channels = l.multiplier.size();
  const auto level = [&](float q, std::size_t i) {
    const std::size_t c = i % channels;
    return kernels::normalized_level(static_cast<std::int32_t>(q), 0, l.multiplier[c], l.offset[c],
                                     next.zero_point, l.relu ? next.zero_point : 0) -
           next.zero_point;
  };
  return {map(in.x, level), next};
}

Stage linear_of(const IntegerLayer& l, const Stage& in) {
  require(in.grid.has_value(), ErrorKind::kInternal, "evaluate", "layer ", l.name,
          " takes levels and gets real numbers");
  const Tensor acc = sums(l, in.x);
  const std::size_t channels = l.scales.size();
  const auto real = [&](float a, std::size_t c) {
    const float value = a * (in.grid->scale * l.scales[c]);
    return l.relu ? std::max(value, 0.0f) : value;
  };
  if (!l.output) return {map_channels(acc, channels, real), {}};
  const ActivationGrid next = *l.output;
  std::vector<float> multipliers;
  for (const float scale : l.scales)
    multipliers.push_back(kernels::requantize_multiplier(in.grid->scale, scale, next.scale));
  const auto level = [&](float a, std::size_t c) {
    return kernels::requantize(static_cast<std::int32_t>(a), multipliers[c], next.zero_point,
                               l.relu ? next.zero_point : 0) -
           next.zero_point;
  };
  return {map_channels(acc, channels, level), next};
}

Stage run_layer(const IntegerLayer& l, const Stage& in, const Stage& other) {
  const Tensor& x = in.x;
  const bool adds = dynamic_cast<const Residual*>(l.layer) != nullptr;
  if (adds && l.is_float) {
    const Tensor sum = kernels::add(reals_of(in), reals_of(other));
    return quantized(l.relu ? kernels::relu(sum) : sum, l.output);
  }
  if (adds) return sum_of(l, in, other);
  if (l.is_float) return quantized(float_layer(l, reals_of(in)), l.output);
  if (const auto* pool = dynamic_cast<const MaxPool2d*>(l.layer))
    return {kernels::max_pool2d(x, pool->window(x.shape())).y, in.grid};
  if (const auto* average = dynamic_cast<const AveragePool2d*>(l.layer)) {
    const auto window = average->window(x.shape());
    return {in.grid ? average_levels(x, window, in.grid->zero_point) : average_floats(x, window),
            in.grid};
  }
  if (dynamic_cast<const Relu*>(l.layer)) return {kernels::relu(x), in.grid};
  if (dynamic_cast<const Flatten*>(l.layer))
    return {x.reshaped({x.shape()[0], x.shape()[0] ? x.elements() / x.shape()[0] : 0}), in.grid};
  return l.multiplier.empty() ? linear_of(l, in) : norm_of(l, in);
}

}  // namespace

Tensor evaluate(const IntegerNetwork& network, const Tensor& images) {
  std::vector<Stage> stages{quantized(images, network.input)};
  for (const IntegerLayer& l : network.layers) {
    const std::size_t end = stages.size();
    stages.push_back(run_layer(l, stages[end - l.from], l.with ? stages[end - l.with] : Stage{}));
  }
  require(!stages.back().grid, "evaluate", "the network has no last convolution or dense layer");
  const Tensor& x = stages.back().x;
  return x.reshaped({x.shape()[0], x.shape()[0] ? x.elements() / x.shape()[0] : 0});
}

}  // namespace espalier::quantize
