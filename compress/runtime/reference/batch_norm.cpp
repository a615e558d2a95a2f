#include <algorithm>

#include "compress/runtime/reference/steps.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::runtime::reference {

Activation float_batch_norm(const format::PackedLayer& l, const Activation& x) {
  const std::size_t channels = l.multiplier.size();
  Tensor y = x.values.clone();
  for (std::size_t i = 0; i < y.values().size(); ++i) {
    float& v = y.mutable_values()[i];
    v = v * l.multiplier[i % channels] + l.offset[i % channels];
    if (l.relu) v = std::max(v, 0.0f);
  }
  return {y, {}};
}

Activation integer_batch_norm(const format::PackedLayer& l, const Activation& x) {
  const std::size_t channels = l.multiplier.size();
  const auto from = x.values.values<std::uint8_t>();
  Tensor y = Tensor::uninitialized(x.values.shape(), DType::kUint8);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::int32_t level =
        kernels::normalized_level(from[i], x.grid.zero_point, l.multiplier[i % channels],
                                  l.offset[i % channels], l.output.zero_point);
    y.mutable_values<std::uint8_t>()[i] =
        static_cast<std::uint8_t>(l.relu ? std::max(level, l.output.zero_point) : level);
  }
  return {y, l.output};
}

}  // namespace espalier::runtime::reference
