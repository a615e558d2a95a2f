// IEEE 754 binary16, what float16 weights are stored as: 1 sign bit, 5 of exponent, 10 of mantissa.
// In memory they are float32 values that a half holds exactly.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>

#include "compress/format/fields.hpp"

namespace espalier::format {

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

// As code_floats (fields.hpp), of 16 bits: whether the pattern is nonzero, given the left and the
// upper neighbour; exponent, high bit first, through a tree of 31 models; sign and mantissa raw.
template <class Coder, class T>
void code_halves(Coder& coder, std::span<T> values, std::size_t columns) {
  std::array<BitModel, 4> nonzero;
  std::array<BitModel, 32> exponent;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool left = i % columns != 0 && values[i - 1] != 0;
    const bool upper = i >= columns && values[i - columns] != 0;
    const std::uint32_t pattern = to_half(values[i]);
    std::uint32_t result = 0;
    if (coder.bit(nonzero[(left ? 1u : 0u) + (upper ? 2u : 0u)], pattern != 0)) {
      std::uint32_t node = 1;
      for (int bit = 14; bit >= 10; --bit)
        node = node << 1 | (coder.bit(exponent[node], pattern >> bit & 1) ? 1u : 0u);
      const std::uint32_t sign = coder.raw(1, pattern >> 15);
      result = sign << 15 | (node & 31) << 10 | coder.raw(10, pattern & 0x3FFu);
    }
    set(values[i], from_half(static_cast<std::uint16_t>(result)));
  }
}

}  // namespace espalier::format
