// The integer grids (Jacob et al. 2018, with 7-bit activations): real = scale * (level -
// zero_point). Every rounding is half to even; see compress/INTEGERS.md.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor/tensor.hpp"

namespace espalier::quantize {

// Activations lie on 0..127: int8 dot products of oneDNN are exact there on every instruction set.
inline constexpr std::int32_t kMaxActivationLevel = 127;

struct ActivationGrid {
  float scale = 1;
  std::int32_t zero_point = 0;  // [0, 127]
};

// The grid that covers [low, high], widened to hold 0, which gets a level of its own. A range of no
// width gives scale 1. Errors: a NaN or infinite bound (diverged), low > high.
ActivationGrid activation_grid(float low, float high);

// clamp(rint(x / scale) + zero_point, 0, 127)
std::int32_t activation_level(float x, ActivationGrid grid);

// Weights: symmetric levels in [-q, q], q = 2^(bits-1) - 1, bits in [2, 8].
std::int32_t max_weight_level(int bits);

// One scale per output channel (the outermost axis): largest magnitude / q, and 1 for a channel of
// zeros.
std::vector<float> weight_scales(const Tensor& weight, int bits);

// clamp(rint(w / scale[channel]), -q, q) for every weight. Zeros stay zero.
std::vector<std::int8_t> weight_levels(const Tensor& weight, const std::vector<float>& scales,
                                       int bits);

// The requantization of an accumulator: clamp(rint(float(acc) * multiplier) + zero_point, 0, 127).
std::int32_t requantize(std::int32_t accumulator, float multiplier, std::int32_t zero_point);

}  // namespace espalier::quantize
