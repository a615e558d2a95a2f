// The integer grids (Jacob et al. 2018, with 7-bit activations): real = scale * (level -
// zero_point). Every rounding is half to even; see compress/INTEGERS.md.
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor/tensor.hpp"

namespace espalier::quantize {

struct ActivationGrid {
  float scale = 1;
  std::int32_t zero_point = 0;  // [0, 127]
};

// The grid that covers [low, high], widened to hold 0, which gets a level of its own. A range of no
// width gives scale 1. bits: 2 to 7; fewer than 7 for activations from 0 on, behind a relu: the
// upper 2^bits of the levels 0..127, with zero point 128 - 2^bits, whose lower ones the relu never
// leaves and whose upper ones end where every level does (compress/INTEGERS.md). Errors: a NaN or
// infinite bound (diverged), low > high.
ActivationGrid activation_grid(float low, float high, int bits = 7);

// Errors: kUsage unless 2 to 7.
void check_activation_bits(int bits);

// The nearest float whose mantissa has `bits` bits behind the leading one, 0 to 23: the fewer, the
// fewer bytes it takes in a file. scale > 0.
float short_scale(float scale, int bits);

// Weights: symmetric levels in [-q, q], q = 2^(bits-1) - 1, bits in [2, 8].
std::int32_t max_weight_level(int bits);

// One scale per output channel (the outermost axis): largest magnitude / q, and 1 for a channel of
// zeros. Errors: kDiverged for a weight that is not finite.
std::vector<float> weight_scales(const Tensor& weight, int bits);

// clamp(rint(w / scale[channel]), -q, q) for every weight. Zeros stay zero.
std::vector<std::int8_t> weight_levels(const Tensor& weight, const std::vector<float>& scales,
                                       int bits);

// The scales that fake quantization and packing use: weight_scales, made coarser in a channel where
// 127 * sum|level| would reach 2^24 - 2^20 (the rest is the bias's: compress/INTEGERS.md), and for
// a channel of zeros the coarsest of the others, so that its bias keeps a sensible grid. A channel
// whose bias would need 2^20 steps of s_x * s_w or more is made coarser, too.
std::vector<float> bounded_weight_scales(const Tensor& weight, int bits, const Tensor& bias,
                                         float input_scale);

// Biases at scale s_x * s_w[c]: rint(b / (s_x * s_w[c])). Errors: a level of 2^20 or more.
std::vector<std::int32_t> bias_levels(const Tensor& bias, float input_scale,
                                      const std::vector<float>& weight_scales);

}  // namespace espalier::quantize
