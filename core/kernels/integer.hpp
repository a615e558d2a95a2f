// The integer specification's arithmetic, shared by the trainer and the runtime:
// compress/INTEGERS.md. real = scale * (level - zero_point); every rounding is half to even.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace espalier::kernels {

// Activations lie on 0..127: oneDNN's int8 sums are exact there on every instruction set.
inline constexpr std::int32_t kMaxActivationLevel = 127;

// rint(x), half to even, for |x| <= 2^22; beyond it +-2^22, which every grid clamps; a NaN stays
// one. 1.5 * 2^23 leaves no bit below 1 to a float32, so adding it rounds: two instructions that
// vectorise, where nearbyint is a call.
inline float round_half_even(float x) {
  constexpr float kMagic = 12582912.0f, kLimit = 4194304.0f;
  return (std::clamp(x, -kLimit, kLimit) + kMagic) - kMagic;
}

// clamp(rounded + zero_point, 0, 127), clamped before the conversion, which is undefined beyond
// int32.
inline std::int32_t clamp_level(float rounded, std::int32_t zero_point) {
  const float level = rounded + static_cast<float>(zero_point);
  return static_cast<std::int32_t>(
      std::clamp(level, 0.0f, static_cast<float>(kMaxActivationLevel)));
}

// clamp(rint(x / scale) + zero_point, 0, 127)
inline std::int32_t activation_level(float x, float scale, std::int32_t zero_point) {
  return clamp_level(round_half_even(x / scale), zero_point);
}

// From a sum at scale s_x * s_w to the grid of scale s_y.
inline float requantize_multiplier(float s_x, float s_w, float s_y) {
  return (s_x * s_w) / s_y;
}

// clamp(rint(float(accumulator) * multiplier) + zero_point, 0, 127). |accumulator| < 2^24.
inline std::int32_t requantize(std::int32_t accumulator, float multiplier,
                               std::int32_t zero_point) {
  return clamp_level(round_half_even(static_cast<float>(accumulator) * multiplier), zero_point);
}

// Batch norm between levels: clamp(rint(float(q_x - z_x) * multiplier + offset) + zero_point),
// the product rounded before the sum. `level` is q_x - z_x.
inline std::int32_t renormalize(std::int32_t level, float multiplier, float offset,
                                std::int32_t zero_point) {
  const float product = static_cast<float>(level) * multiplier;
  return clamp_level(round_half_even(product + offset), zero_point);
}

// The mean of `count` levels: rint(float(sum) * float(1 / count)).
inline std::int32_t mean_level(std::int32_t sum, std::int64_t count) {
  const float share = 1.0f / static_cast<float>(count);
  return static_cast<std::int32_t>(round_half_even(static_cast<float>(sum) * share));
}

}  // namespace espalier::kernels
