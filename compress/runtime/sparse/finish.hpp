// What follows the sums of 16 output channels while they are still in a register: bias, maximum over
// a pooling window, requantization, batch norm. Formulas: core/kernels/integer.hpp. Requantization
// keeps order, so that the maximum of sums becomes the maximum of levels.
#pragma once

#include <span>
#include <vector>

#include "compress/runtime/stages.hpp"

namespace espalier::runtime::sparse {

inline constexpr int kLanes = 16;  // output channels of a group

// What nearest_level of core/kernels/integer.hpp needs: x is clamped to low..high, rounded, and the
// zero point added.
struct Range {
  std::int32_t zero_point = 0, lowest = 0;
  float low = 0, high = 127;
};
Range range_of(const format::ActivationGrid& grid, bool relu);

struct Finish {
  std::int64_t channels = 0;
  // [C], and zeros up to whole groups.
  std::vector<std::int32_t> bias = {};
  std::vector<float> multiplier = {};
  bool levels = false;  // else float(sum) * multiplier
  bool relu = false;
  Range range = {};  // of levels

  bool norm = false;  // a batch norm between levels behind all that
  std::vector<float> norm_multiplier = {}, norm_offset = {};
  Range norm_range = {};

  std::int64_t groups() const { return static_cast<std::int64_t>(bias.size()) / kLanes; }
};

// Of a convolution or dense layer on the grid x, and of the batch norm behind it, or null.
Finish finish_of(const format::PackedLayer& layer, const format::ActivationGrid& x,
                 const format::PackedLayer* norm);

// What a kernel works on: one group of channels over one image.
struct Tiles {
  const std::uint8_t* x;
  std::span<const std::int64_t> starts;  // of the windows; `pool` of them make one output
  int pool;
  const Finish& finish;
  std::int64_t channel;  // the group's first
  void* y;               // [outputs C], of levels or floats
  // Which of them the windows make; none: all, in order.
  std::span<const std::int32_t> outputs = {};

  // Where in y the group's channels of the windows' output number i begin.
  std::int64_t place(std::int64_t i) const {
    return (outputs.empty() ? i : outputs[static_cast<std::size_t>(i)]) * finish.channels + channel;
  }
};

// The plain twin: the sums of one output [kLanes], maximum taken, to its place.
void finish_plain(const std::int32_t* sums, const Tiles& tiles, std::int64_t output);

}  // namespace espalier::runtime::sparse
