// How halves (core/base/half.hpp), which float16 weights are stored as, are coded.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "compress/format/fields.hpp"
#include "core/base/half.hpp"

namespace espalier::format {

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
