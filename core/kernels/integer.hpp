// The integer specification's arithmetic, shared by the trainer and the runtime:
// compress/INTEGERS.md. real = scale * (level - zero_point); every rounding is half to even.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace espalier::kernels {

// Activations lie on 0..127: oneDNN's int8 sums are exact there on every instruction set.
inline constexpr std::int32_t kMaxActivationLevel = 127;

// clamp(rounded + zero_point, 0, 127), clamped before the conversion, which is undefined beyond
// int32.
inline std::int32_t clamp_level(float rounded, std::int32_t zero_point) {
  const float level = rounded + static_cast<float>(zero_point);
  return static_cast<std::int32_t>(
      std::clamp(level, 0.0f, static_cast<float>(kMaxActivationLevel)));
}

// clamp(rint(x / scale) + zero_point, 0, 127)
inline std::int32_t activation_level(float x, float scale, std::int32_t zero_point) {
  return clamp_level(std::nearbyint(x / scale), zero_point);
}

// From a sum at scale s_x * s_w to the grid of scale s_y.
inline float requantize_multiplier(float s_x, float s_w, float s_y) {
  return (s_x * s_w) / s_y;
}

// clamp(rint(float(accumulator) * multiplier) + zero_point, 0, 127). |accumulator| < 2^24.
inline std::int32_t requantize(std::int32_t accumulator, float multiplier,
                               std::int32_t zero_point) {
  return clamp_level(std::nearbyint(static_cast<float>(accumulator) * multiplier), zero_point);
}

}  // namespace espalier::kernels
