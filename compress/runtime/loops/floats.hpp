// Activations read and written as floats, whether they are levels or not.
#pragma once

#include <algorithm>
#include <span>

#include "compress/runtime/step.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::runtime::loops {

// `to.size()` values from element `at` on.
inline void read_floats(const Activation& x, std::int64_t at, std::span<float> to) {
  if (x.grid.is_float()) {
    std::copy_n(x.floats() + at, to.size(), to.begin());
    return;
  }
  const std::uint8_t* from = x.levels() + at;
  for (std::size_t i = 0; i < to.size(); ++i)
    to[i] = kernels::real_of(from[i], x.grid.scale, x.grid.zero_point);
}

inline void write_floats(std::span<const float> from, const Activation& y, std::int64_t at) {
  if (y.grid.is_float()) {
    std::ranges::copy(from, y.floats() + at);
    return;
  }
  std::uint8_t* to = y.levels() + at;
  for (std::size_t i = 0; i < from.size(); ++i)
    to[i] = static_cast<std::uint8_t>(
        kernels::activation_level(from[i], y.grid.scale, y.grid.zero_point));
}

}  // namespace espalier::runtime::loops
