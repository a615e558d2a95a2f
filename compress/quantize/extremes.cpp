#include "compress/quantize/extremes.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/base/clones.hpp"

namespace espalier::quantize {
namespace {

constexpr std::size_t kLanes = 16;  // kept apart, so that the compiler has vectors to keep them in

// Of `rows` times kLanes numbers, lane by lane; `odd` is not 0 where an exponent says NaN or infinity.
ESPALIER_CLONES
void extremes_of_lanes(const float* values, std::size_t rows, float* low, float* high,
                       std::uint32_t* odd) {
  constexpr std::uint32_t kExponent = 0x7F800000;
  for (std::size_t r = 0; r < rows; ++r, values += kLanes)
    for (std::size_t k = 0; k < kLanes; ++k) {
      const float v = values[k];
      low[k] = v < low[k] ? v : low[k];
      high[k] = v > high[k] ? v : high[k];
      odd[k] |= (std::bit_cast<std::uint32_t>(v) & kExponent) == kExponent ? 1u : 0u;
    }
}

}  // namespace

Extremes extremes(std::span<const float> values) {
  float low[kLanes], high[kLanes];
  std::uint32_t odd[kLanes] = {};
  std::fill_n(low, kLanes, values[0]);
  std::fill_n(high, kLanes, values[0]);
  const std::size_t rows = values.size() / kLanes;
  extremes_of_lanes(values.data(), rows, low, high, odd);
  float rest[kLanes];
  std::fill_n(rest, kLanes, values[0]);
  std::ranges::copy(values.subspan(rows * kLanes), rest);
  extremes_of_lanes(rest, 1, low, high, odd);
  return {*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes),
          std::all_of(odd, odd + kLanes, [](std::uint32_t o) { return o == 0; })};
}

}  // namespace espalier::quantize
