#include "compress/runtime/sparse/finish.hpp"

#include <algorithm>

#include "compress/runtime/linear_parts.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::runtime::sparse {

Range range_of(const format::ActivationGrid& grid, bool relu) {
  const std::int32_t lowest = relu ? grid.zero_point : 0;
  return {.zero_point = grid.zero_point,
          .lowest = lowest,
          .low = static_cast<float>(lowest - grid.zero_point),
          .high = static_cast<float>(kernels::kMaxActivationLevel - grid.zero_point)};
}

Finish finish_of(const format::PackedLayer& l, const format::ActivationGrid& x,
                 const format::PackedLayer* norm) {
  ChannelSums sums = channel_sums(l, x, l.output);
  Finish f{.channels = l.weight.shape[0],
           .bias = std::move(sums.bias),
           .multiplier = std::move(sums.multiplier),
           .levels = !l.output.is_float(),
           .relu = l.relu,
           .range = range_of(l.output, l.relu)};
  const auto padded = static_cast<std::size_t>((f.channels + kLanes - 1) / kLanes * kLanes);
  f.bias.resize(padded), f.multiplier.resize(padded);
  if (!norm) return f;
  f.norm = true;
  f.norm_multiplier = norm->multiplier, f.norm_offset = norm->offset;
  f.norm_multiplier.resize(padded), f.norm_offset.resize(padded);
  f.norm_range = range_of(norm->output, norm->relu);
  return f;
}

void finish_plain(const std::int32_t* sums, const Tiles& t, std::int64_t output) {
  const Finish& f = t.finish;
  const std::int64_t lanes = std::min<std::int64_t>(kLanes, f.channels - t.channel),
                     at = t.place(output);
  for (std::int64_t i = 0; i < lanes; ++i) {
    const auto c = static_cast<std::size_t>(t.channel + i);
    const std::int32_t sum = sums[i] + f.bias[c];
    if (!f.levels) {
      const float real = static_cast<float>(sum) * f.multiplier[c];
      static_cast<float*>(t.y)[at + i] = f.relu ? std::max(real, 0.0f) : real;
      continue;
    }
    std::int32_t level =
        kernels::requantize(sum, f.multiplier[c], f.range.zero_point, f.range.lowest);
    if (f.norm)
      level =
          kernels::normalized_level(level, f.range.zero_point, f.norm_multiplier[c],
                                    f.norm_offset[c], f.norm_range.zero_point, f.norm_range.lowest);
    static_cast<std::uint8_t*>(t.y)[at + i] = static_cast<std::uint8_t>(level);
  }
}

}  // namespace espalier::runtime::sparse
