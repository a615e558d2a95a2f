#include "compress/runtime/onednn/levels.hpp"

#include <algorithm>

#include "core/kernels/integer.hpp"

namespace espalier::runtime::onednn {

void transform_pixels(std::span<const float> pixels, const format::PackedModel& model, float* x) {
  const float mean = model.input_mean, deviation = model.input_deviation;
  for (std::size_t i = 0; i < pixels.size(); ++i) x[i] = (pixels[i] - mean) / deviation;
}

void quantize_pixels(std::span<const float> pixels, const format::PackedModel& model,
                     std::uint8_t* x) {
  const float mean = model.input_mean, deviation = model.input_deviation;
  const float scale = model.input.scale;
  const std::int32_t zero_point = model.input.zero_point;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const float real = (pixels[i] - mean) / deviation;
    x[i] = static_cast<std::uint8_t>(kernels::activation_level(real, scale, zero_point));
  }
}

void requantize_rows(const std::int32_t* sums, std::int64_t rows, const Requantization& r,
                     std::uint8_t* levels) {
  const std::size_t channels = r.bias.size();
  const std::int32_t* bias = r.bias.data();
  const float* multiplier = r.multiplier.data();
  const std::int32_t zero_point = r.zero_point, floor = r.relu ? zero_point : 0;
  for (std::int64_t row = 0; row < rows; ++row, sums += channels, levels += channels)
    for (std::size_t c = 0; c < channels; ++c) {
      const std::int32_t level = kernels::requantize(sums[c] + bias[c], multiplier[c], zero_point);
      levels[c] = static_cast<std::uint8_t>(std::max(level, floor));
    }
}

void scale_rows(const std::int32_t* sums, std::int64_t rows, const Requantization& r,
                float* values) {
  const std::size_t channels = r.bias.size();
  for (std::int64_t row = 0; row < rows; ++row, sums += channels, values += channels)
    for (std::size_t c = 0; c < channels; ++c) {
      const float real = static_cast<float>(sums[c] + r.bias[c]) * r.multiplier[c];
      values[c] = r.relu ? std::max(real, 0.0f) : real;
    }
}

}  // namespace espalier::runtime::onednn
