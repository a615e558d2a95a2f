// Batch norm and relu, in place. Our own loops: a primitive is no faster
// (core/kernels/elementwise.hpp).
#include <algorithm>

#include "compress/runtime/loops/steps.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::runtime::loops {

Step batch_norm(const format::PackedLayer& l, const Activation& x, const Activation&) {
  return [x, &l] {
    const auto channels = static_cast<std::size_t>(x.shape[3]);
    const float *multiplier = l.multiplier.data(), *offset = l.offset.data();
    float *v = x.floats(), *end = v + x.shape.elements();
    for (; v != end; v += channels)
      for (std::size_t c = 0; c < channels; ++c) {
        const float y = v[c] * multiplier[c] + offset[c];
        v[c] = l.relu ? std::max(y, 0.0f) : y;
      }
  };
}

Step batch_norm_levels(const format::PackedLayer& l, const Activation& x, const Activation& y) {
  const std::int32_t z_x = x.grid.zero_point, z_y = y.grid.zero_point, lowest = l.relu ? z_y : 0;
  return [x, &l, z_x, z_y, lowest] {
    const auto channels = static_cast<std::size_t>(x.shape[3]);
    const float *multiplier = l.multiplier.data(), *offset = l.offset.data();
    std::uint8_t *v = x.levels(), *end = v + x.shape.elements();
    for (; v != end; v += channels)
      for (std::size_t c = 0; c < channels; ++c)
        v[c] = static_cast<std::uint8_t>(
            kernels::normalized_level(v[c], z_x, multiplier[c], offset[c], z_y, lowest));
  };
}

Step relu(const Activation& x) {
  return [x] {
    float *v = x.floats(), *end = v + x.shape.elements();
    for (; v != end; ++v) *v = std::max(*v, 0.0f);
  };
}

Step relu_levels(const Activation& x) {
  return [x, zero = static_cast<std::uint8_t>(x.grid.zero_point)] {
    std::uint8_t *v = x.levels(), *end = v + x.shape.elements();
    for (; v != end; ++v) *v = std::max(*v, zero);
  };
}

}  // namespace espalier::runtime::loops
