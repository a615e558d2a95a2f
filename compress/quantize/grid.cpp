#include "compress/quantize/grid.hpp"

#include <algorithm>
#include <cmath>

namespace espalier::quantize {
namespace {

// Clamps before the conversion to an integer, which is undefined beyond its range.
std::int32_t to_level(float rounded, std::int32_t zero_point) {
  const float level = rounded + static_cast<float>(zero_point);
  return static_cast<std::int32_t>(
      std::clamp(level, 0.0f, static_cast<float>(kMaxActivationLevel)));
}

std::size_t values_per_channel(const Tensor& weight) {
  require(weight.shape().rank() >= 1 && weight.shape()[0] > 0, "quantize",
          "wants weights with at least one output channel, got ", weight.shape());
  return static_cast<std::size_t>(weight.elements() / weight.shape()[0]);
}

}  // namespace

ActivationGrid activation_grid(float low, float high) {
  require(std::isfinite(low) && std::isfinite(high), ErrorKind::kDiverged, "activation_grid",
          "the observed range is [", low, ", ", high, "]; train with a smaller learning rate");
  require(low <= high, "activation_grid", "wants low <= high, got [", low, ", ", high, "]");
  low = std::min(low, 0.0f);
  high = std::max(high, 0.0f);
  const float scale = (high - low) / static_cast<float>(kMaxActivationLevel);
  if (!(scale > 0) || !std::isfinite(scale)) return {};
  return {scale, to_level(std::nearbyint(-low / scale), 0)};
}

std::int32_t activation_level(float x, ActivationGrid grid) {
  return to_level(std::nearbyint(x / grid.scale), grid.zero_point);
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
      require(std::isfinite(v), ErrorKind::kDiverged, "quantize",
              "the weights hold a NaN or infinity; train with a smaller learning rate");
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
    levels[i] =
        static_cast<std::int8_t>(std::clamp(std::nearbyint(w[i] / scales[i / stride]), -q, q));
  return levels;
}

std::int32_t requantize(std::int32_t accumulator, float multiplier, std::int32_t zero_point) {
  return to_level(std::nearbyint(static_cast<float>(accumulator) * multiplier), zero_point);
}

}  // namespace espalier::quantize
