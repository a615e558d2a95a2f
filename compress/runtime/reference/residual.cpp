#include "compress/runtime/reference/steps.hpp"
#include "core/kernels/elementwise.hpp"
#include "core/kernels/integer.hpp"

namespace espalier::runtime::reference {

Activation integer_residual(const format::PackedLayer& l, const Activation& x,
                            const Activation& other) {
  const float of_x = x.grid.scale / l.output.scale, of_other = other.grid.scale / l.output.scale;
  const auto from = x.values.values<std::uint8_t>(), also = other.values.values<std::uint8_t>();
  Tensor y = Tensor::uninitialized(x.values.shape(), DType::kUint8);
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto a = kernels::summand(from[i], x.grid.zero_point, of_x),
               b = kernels::summand(also[i], other.grid.zero_point, of_other);
    y.mutable_values<std::uint8_t>()[i] = static_cast<std::uint8_t>(
        kernels::sum_level(a, b, l.output.zero_point, l.relu ? l.output.zero_point : 0));
  }
  return {y, l.output};
}

Activation float_residual(const format::PackedLayer& l, const Activation& x,
                          const Activation& other) {
  const Tensor sum = kernels::add(x.values, other.values);
  return {l.relu ? kernels::relu(sum) : sum, {}};
}

}  // namespace espalier::runtime::reference
