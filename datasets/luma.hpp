// Grey of colour: Rec. 601's luma, (77 R + 150 G + 29 B) / 256.
#pragma once

#include <cstdint>

namespace espalier::datasets {

// Of values 0..255; rounded down.
constexpr std::uint8_t luma(int red, int green, int blue) {
  return static_cast<std::uint8_t>((77 * red + 150 * green + 29 * blue) >> 8);
}

}  // namespace espalier::datasets
