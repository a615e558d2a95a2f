// IEEE 754 binary16: 1 sign bit, 5 of exponent, 10 of mantissa. In memory they are float32 values
// that a half holds exactly.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace espalier {

constexpr float kMaxHalf = 65504;  // the largest finite one

// The nearest half, half to even; from 65520 on infinity.
inline std::uint16_t to_half(float value) {
  const auto pattern = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = pattern >> 31 << 15, magnitude = pattern & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return static_cast<std::uint16_t>(sign | 0x7E00);  // NaN
  if (magnitude < 0x38800000)  // below 2^-14: a multiple of 2^-24, of which 1024 are 2^-14 again
    return static_cast<std::uint16_t>(
        sign | static_cast<std::uint32_t>(std::nearbyint(std::abs(value) * 0x1p24f)));
  // 13 bits of mantissa go, rounded; a carry goes on into the exponent, 112 less than float32's.
  const std::uint32_t rounded = (magnitude + 0xFFF + (magnitude >> 13 & 1)) >> 13;
  return static_cast<std::uint16_t>(sign | std::min(rounded - (112u << 10), 0x7C00u));
}

inline float from_half(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half} >> 15 << 31, magnitude = half & 0x7FFFu;
  if (magnitude < 0x400)  // 0 and what lies below 2^-14
    return std::bit_cast<float>(
        sign | std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24f));
  const std::uint32_t bias =
      magnitude < 0x7C00 ? 112u : 224u;  // infinity and NaN stay what they are
  return std::bit_cast<float>(sign | ((magnitude << 13) + (bias << 23)));
}

inline bool is_half(float value) {
  return std::bit_cast<std::uint32_t>(from_half(to_half(value))) ==
         std::bit_cast<std::uint32_t>(value);
}

}  // namespace espalier
