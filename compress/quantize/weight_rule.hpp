// How the weights of a layer come to lie on levels: what training simulates and the file holds.
#pragma once

#include <cstdint>
#include <vector>

#include "core/autograd/variable.hpp"

namespace espalier::quantize {

enum class WeightLevels {
  kUniform,  // -q..q, q = 2^(bits-1) - 1; the scale covers the largest weight
  // -1, 0, 1 (Li & Liu 2016, "Ternary weight networks", eq. 6 and 7): 0 up to the threshold
  // 0.7 mean|w|, the scale is the mean magnitude of what lies above it.
  kTernary,
  // -1, 1 (Rastegari et al. 2016, "XNOR-Net", eq. 6): the sign (of 0: 1); the scale is mean|w|.
  kBinary,
};

struct WeightRule {
  WeightLevels levels = WeightLevels::kUniform;
  int bits = 8;             // of uniform levels, 2 to 8
  bool per_channel = true;  // a scale (and threshold) for each output channel, or one of the tensor
  bool learned_step = false;  // uniform levels: the scale is a parameter (learned_step.hpp)

  int stored_bits() const { return levels == WeightLevels::kUniform ? bits : 2; }
};

// What keeps the sums of a channel in range: its bias, and the scale of what it is fed.
struct SumBounds {
  const Tensor& bias;
  float input_scale;
};

// First values of learned steps, one a channel or one: 2 mean|w| / sqrt(q) (Esser et al. 2020,
// section 2.1); for a channel of zeros the largest of the others.
Tensor first_steps(const Tensor& w, const WeightRule& rule);

// One scale an output channel. steps: of a rule that learns them. Made coarser where a channel's
// sums or bias would not fit (bounded_weight_scales). Errors: kUsage when ternary or binary weights
// are too many for the sums' bound.
std::vector<float> scales_of(const Tensor& w, const WeightRule& rule, const Tensor& steps,
                             SumBounds bounds);

// Levels at these scales.
std::vector<std::int8_t> levels_of(const Tensor& w, const WeightRule& rule,
                                   const std::vector<float>& scales);

// y = scale[c] * level, with the source's gradient:
//   uniform: dy where the clamp left the weight alone (straight through); with learned steps also
//            theirs; ternary: dy; binary: dy (1 / n + scale 1[|w| <= 1]), n weights a scale.
Variable on_levels(const Variable& w, const WeightRule& rule, const std::vector<float>& scales,
                   const Variable& steps);

}  // namespace espalier::quantize
