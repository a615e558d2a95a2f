#include "compress/runtime/linear_parts.hpp"

#include <cstring>

#include "core/kernels/integer.hpp"

namespace espalier::runtime {

using format::PackedLayer;

ChannelSums channel_sums(const PackedLayer& l, const format::ActivationGrid& x,
                         const format::ActivationGrid& y) {
  const auto channels = static_cast<std::size_t>(l.weight.shape[0]);
  const std::size_t inputs = l.weight.levels.size() / channels;
  ChannelSums sums;
  for (std::size_t c = 0; c < channels; ++c) {
    std::int32_t weights = 0;
    for (std::size_t i = 0; i < inputs; ++i) weights += l.weight.levels[c * inputs + i];
    const std::int32_t bias =
        l.bias_levels.empty() ? 0 : l.bias_levels[c] * (std::int32_t{1} << l.bias_shift);
    sums.bias.push_back(bias - x.zero_point * weights);
    const float scale = l.weight.scales[l.weight.scales.size() == 1 ? 0 : c];
    sums.multiplier.push_back(
        y.is_float() ? x.scale * scale : kernels::requantize_multiplier(x.scale, scale, y.scale));
  }
  return sums;
}

bool pads(const PackedLayer& l) {
  return l.pad_top || l.pad_left || l.pad_bottom || l.pad_right;
}

Shape padded_shape(const PackedLayer& l, std::int64_t batch,
                   const std::array<std::int64_t, 3>& in) {
  return {batch, in[0] + l.pad_top + l.pad_bottom, in[1] + l.pad_left + l.pad_right, in[2]};
}

void copy_inside(const std::uint8_t* images, const Shape& in, const PackedLayer& l,
                 std::uint8_t* padded, const Shape& out) {
  const std::int64_t row = in[2] * in[3], padded_row = out[2] * out[3];
  for (std::int64_t n = 0; n < in[0]; ++n)
    for (std::int64_t h = 0; h < in[1]; ++h)
      std::memcpy(padded + (n * out[1] + h + l.pad_top) * padded_row + l.pad_left * in[3],
                  images + (n * in[1] + h) * row, static_cast<std::size_t>(row));
}

}  // namespace espalier::runtime
