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

void repeat_channels(Requantization& r) {
  const std::size_t channels = r.bias.size();
  for (std::size_t i = 0; r.bias.size() < Requantization::kLeastSize || i % channels; ++i) {
    r.bias.push_back(r.bias[i]);
    r.multiplier.push_back(r.multiplier[i]);
  }
}

void requantize_sums(std::span<const std::int32_t> sums, const Requantization& r,
                     std::uint8_t* levels) {
  const std::int32_t* bias = r.bias.data();
  const float* multiplier = r.multiplier.data();
  const std::int32_t zero_point = r.zero_point, lowest = r.relu ? zero_point : 0;
  for (std::size_t begin = 0; begin < sums.size(); begin += r.bias.size()) {
    const std::size_t count = std::min(r.bias.size(), sums.size() - begin);
    const std::int32_t* from = sums.data() + begin;
    std::uint8_t* to = levels + begin;
    for (std::size_t i = 0; i < count; ++i)
      to[i] = static_cast<std::uint8_t>(
          kernels::requantize(from[i] + bias[i], multiplier[i], zero_point, lowest));
  }
}

void scale_sums(std::span<const std::int32_t> sums, const Requantization& r, float* values) {
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t c = i % r.bias.size();
    const float real = static_cast<float>(sums[i] + r.bias[c]) * r.multiplier[c];
    values[i] = r.relu ? std::max(real, 0.0f) : real;
  }
}

}  // namespace espalier::runtime::onednn
