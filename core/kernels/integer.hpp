// The integer specification's arithmetic, shared by the trainer and the runtime:
// compress/INTEGERS.md. real = scale * (level - zero_point); every rounding is half to even.
#pragma once

#include <algorithm>
#include <cstdint>

namespace espalier::kernels {

// Activations lie on 0..127: oneDNN's int8 sums are exact there on every instruction set.
inline constexpr std::int32_t kMaxActivationLevel = 127;

// rint(x), half to even, for |x| <= 2^22: the sum's last bit is worth 1. Unlike std::nearbyint, a
// compiler turns it into vector instructions on every CPU.
inline float round_half_even(float x) {
  constexpr float kShift = 3 << 22;  // 1.5 * 2^23
  return (x + kShift) - kShift;
}

// clamp(rint(x) + zero_point, lowest, 127). Clamped before it is rounded, which changes nothing
// (the bounds are integers, rint keeps order) and keeps x in range of the rounding and the
// conversion; a NaN becomes the lowest. A fused relu has lowest = zero_point.
inline std::int32_t nearest_level(float x, std::int32_t zero_point, std::int32_t lowest = 0) {
  const float low = static_cast<float>(lowest - zero_point),
              high = static_cast<float>(kMaxActivationLevel - zero_point);
  const float inside = std::min(std::max(low, x), high);
  return static_cast<std::int32_t>(round_half_even(inside)) + zero_point;
}

// clamp(rint(x / scale) + zero_point, 0, 127)
inline std::int32_t activation_level(float x, float scale, std::int32_t zero_point) {
  return nearest_level(x / scale, zero_point);
}

// What a level stands for: float(level - zero_point) * scale.
inline float real_of(std::int32_t level, float scale, std::int32_t zero_point) {
  return static_cast<float>(level - zero_point) * scale;
}

// From a sum at scale s_x * s_w to the grid of scale s_y.
inline float requantize_multiplier(float s_x, float s_w, float s_y) {
  return (s_x * s_w) / s_y;
}

// clamp(rint(float(accumulator) * multiplier) + zero_point, lowest, 127). |accumulator| < 2^24.
inline std::int32_t requantize(std::int32_t accumulator, float multiplier, std::int32_t zero_point,
                               std::int32_t lowest = 0) {
  return nearest_level(static_cast<float>(accumulator) * multiplier, zero_point, lowest);
}

// Batch norm between levels:
// clamp(rint(float(level - z_x) * multiplier + offset) + z_y, lowest, 127).
inline std::int32_t normalized_level(std::int32_t level, std::int32_t z_x, float multiplier,
                                     float offset, std::int32_t z_y, std::int32_t lowest = 0) {
  const float product = static_cast<float>(level - z_x) * multiplier;
  return nearest_level(product + offset, z_y, lowest);
}

// A summand of a residual on the sum's scale: rint(float(level - z) * multiplier), multiplier = s / s_y
// at most 2^14. The sum's level is clamp(one + other + z_y, lowest, 127).
inline std::int32_t summand(std::int32_t level, std::int32_t z, float multiplier) {
  return static_cast<std::int32_t>(round_half_even(static_cast<float>(level - z) * multiplier));
}
inline std::int32_t sum_level(std::int32_t one, std::int32_t other, std::int32_t zero_point,
                              std::int32_t lowest = 0) {
  return std::clamp(one + other + zero_point, lowest, kMaxActivationLevel);
}

// Average pooling: rint(float(sum) * float(1 / n)) of n levels.
inline std::int32_t average_level(std::int32_t sum, std::int32_t n) {
  return static_cast<std::int32_t>(
      round_half_even(static_cast<float>(sum) * (1.0f / static_cast<float>(n))));
}

}  // namespace espalier::kernels
