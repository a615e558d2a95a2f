#include "compress/quantize/grid.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/kernels/integer.hpp"

namespace espalier::quantize {
namespace {

std::size_t values_per_channel(const Tensor& weight) {
  require(weight.shape().rank() >= 1 && weight.shape()[0] > 0, "quantize",
          "wants weights with at least one output channel, got ", weight.shape());
  return static_cast<std::size_t>(weight.elements() / weight.shape()[0]);
}

}  // namespace

void check_activation_bits(int bits) {
  require(2 <= bits && bits <= 7, "quantize", "wants 2 to 7 bits an activation, got ", bits);
}

ActivationGrid activation_grid(float low, float high, int bits) {
  require(std::isfinite(low) && std::isfinite(high), ErrorKind::kDiverged, "activation_grid",
          "the observed range is [", low, ", ", high, "]; train with a smaller learning rate");
  require(low <= high, "activation_grid", "wants low <= high, got [", low, ", ", high, "]");
  check_activation_bits(bits);
  low = bits < 7 ? 0.0f : std::min(low, 0.0f);
  high = std::max(high, 0.0f);
  if (bits < 7) {
    const int top = (1 << bits) - 1;
    const float scale = high / static_cast<float>(top);
    return {scale > 0 ? scale : 1.0f, kernels::kMaxActivationLevel - top};
  }
  const float scale = (high - low) / static_cast<float>(kernels::kMaxActivationLevel);
  if (!(scale > 0) || !std::isfinite(scale)) return {};
  return {scale, kernels::nearest_level(-low / scale, 0)};
}

float short_scale(float scale, int bits) {
  require(scale > 0 && 0 <= bits && bits <= 23, "short_scale",
          "wants a scale > 0 and 0 to 23 bits, ", "got ", scale, " and ", bits);
  int exponent = 0;
  const float mantissa = std::frexp(scale, &exponent);  // [0.5, 1)
  return std::ldexp(std::nearbyint(std::ldexp(mantissa, bits + 1)), exponent - bits - 1);
}

std::int32_t max_weight_level(int bits) {
  require(2 <= bits && bits <= 8, "quantize", "wants 2 to 8 bits a weight, got ", bits);
  return (1 << (bits - 1)) - 1;
}

std::vector<float> weight_scales(const Tensor& weight, int bits) {
  const auto q = static_cast<float>(max_weight_level(bits));
  const std::size_t stride = values_per_channel(weight);
  std::vector<float> scales;
  const auto w = weight.values();
  for (std::size_t begin = 0; begin < w.size(); begin += stride) {
    float largest = 0;
    for (const float v : w.subspan(begin, stride)) {
      require(std::isfinite(v), ErrorKind::kDiverged, "quantize", "a weight is no finite number");
      largest = std::max(largest, std::abs(v));
    }
    const float scale = largest / q;
    scales.push_back(scale > 0 ? scale : 1.0f);
  }
  return scales;
}

std::vector<std::int8_t> weight_levels(const Tensor& weight, const std::vector<float>& scales,
                                       int bits) {
  const auto q = static_cast<float>(max_weight_level(bits));
  const std::size_t stride = values_per_channel(weight);
  const auto w = weight.values();
  require(scales.size() * stride == w.size(), "weight_levels", weight.shape(), " wants ",
          w.size() / stride, " scales, got ", scales.size());
  std::vector<std::int8_t> levels(w.size());
  for (std::size_t i = 0; i < w.size(); ++i)
    levels[i] = static_cast<std::int8_t>(
        kernels::round_half_even(std::clamp(w[i] / scales[i / stride], -q, q)));
  return levels;
}

std::vector<float> bounded_weight_scales(const Tensor& weight, int bits, const Tensor& bias,
                                         float input_scale) {
  std::vector<float> scales = weight_scales(weight, bits);
  require(bias.elements() == static_cast<std::int64_t>(scales.size()), "bounded_weight_scales",
          "wants ", scales.size(), " biases, got ", bias.shape());
  const auto finest_scale = [&](std::size_t c) {  // that the bias allows
    return std::abs(bias.values()[c]) / (input_scale * static_cast<float>((1 << 20) - 2));
  };
  const std::size_t stride = values_per_channel(weight);
  const auto w = weight.values();
  constexpr double kLimit = (1 << 24) - (1 << 20);
  std::vector<bool> empty(scales.size());
  float coarsest = 0;
  for (std::size_t c = 0; c < scales.size(); ++c) {
    const auto row = w.subspan(c * stride, stride);
    const double total = std::transform_reduce(row.begin(), row.end(), 0.0, std::plus<>{},
                                               [](float v) { return std::abs(double{v}); });
    empty[c] = total == 0;
    scales[c] = empty[c] ? scales[c] : std::max(scales[c], finest_scale(c));
    // Rounding adds at most half a level a weight: mostly this settles it without rounding any.
    const double most = total / scales[c] + 0.5 * static_cast<double>(stride);
    if (kernels::kMaxActivationLevel * most < kLimit) {
      if (!empty[c]) coarsest = std::max(coarsest, scales[c]);
      continue;
    }
    const auto sum = [&] {
      double levels = 0;
      for (const float v : row) levels += std::abs(kernels::round_half_even(v / scales[c]));
      return kernels::kMaxActivationLevel * levels;
    };
    while (sum() >= kLimit) scales[c] *= 1.0625f;
    if (!empty[c]) coarsest = std::max(coarsest, scales[c]);
  }
  for (std::size_t c = 0; c < scales.size(); ++c)
    if (empty[c]) scales[c] = std::max(coarsest > 0 ? coarsest : scales[c], finest_scale(c));
  return scales;
}

std::vector<std::int32_t> bias_levels(const Tensor& bias, float input_scale,
                                      const std::vector<float>& weight_scales) {
  require(bias.shape() == Shape{static_cast<std::int64_t>(weight_scales.size())}, "bias_levels",
          "wants ", weight_scales.size(), " biases, got ", bias.shape());
  std::vector<std::int32_t> levels;
  for (std::size_t c = 0; c < weight_scales.size(); ++c) {
    const float level = std::nearbyint(bias.values()[c] / (input_scale * weight_scales[c]));
    require(std::abs(level) < (1 << 20), "bias_levels", "the bias of channel ", c, " is ",
            bias.values()[c], ", more than 2^20 steps of ", input_scale * weight_scales[c],
            "; use fewer weight bits or leave this layer in float");
    levels.push_back(static_cast<std::int32_t>(level));
  }
  return levels;
}

}  // namespace espalier::quantize
