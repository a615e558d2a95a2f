#include "compress/prune/masked_parameter.hpp"

#include "compress/prune/mask.hpp"
#include "core/kernels/elementwise.hpp"
#include "core/ops/ops.hpp"

namespace espalier::prune {

Parameter::Transform masked_by(const Tensor& mask, MaskGradient gradient) {
  if (gradient == MaskGradient::kMasked)
    return [mask](const Variable& w) { return ops::multiply(w, Variable(mask)); };
  return [mask](const Variable& w) {
    return record("mask", kernels::multiply(w.value(), mask), {w},
                  [](const BackwardContext& ctx) { return Gradients{ctx.gradient()}; });
  };
}

void bake_mask(const MaskedParameter& target, const char* transform) {
  Parameter& parameter = *target.parameter;
  const auto w = parameter.latent().mutable_value().mutable_values();
  const auto m = target.mask.values();
  for (std::size_t i = 0; i < w.size(); ++i) w[i] *= m[i];
  parameter.remove_transform(transform);
  const double wanted = sparsity_of(target.mask), got = sparsity_of(parameter.latent().value());
  require(got >= wanted, ErrorKind::kInternal, target.name, "should hold ", wanted,
          " zeros, holds ", got);
}

}  // namespace espalier::prune
