#include "compress/rate/scaled_levels.hpp"

#include <algorithm>
#include <cmath>

#include "core/kernels/integer.hpp"

namespace espalier::rate {

Tensor rounded_levels(const Tensor& u, int max_level) {
  Tensor levels = Tensor::uninitialized(u.shape());
  const auto most = static_cast<float>(max_level);
  std::ranges::transform(u.values(), levels.mutable_data(), [&](float v) {
    return kernels::round_half_even(std::clamp(v, -most, most));
  });
  return levels;
}

Variable scaled_levels(const Variable& u, const Variable& log_step, LevelOptions options) {
  const float step = std::exp(log_step.value().item());
  const auto most = static_cast<float>(options.max_level);
  Tensor y = options.round ? rounded_levels(u.value(), options.max_level) : u.value().clone();
  for (float& v : y.mutable_values()) v *= step;
  return record("scaled_levels", y, {u, log_step}, [step, most](const BackwardContext& ctx) {
    Tensor du = Tensor::uninitialized(ctx.gradient().shape()), dlog({1});
    const auto dy = ctx.gradient().values(), y = ctx.output().values(), u = ctx.input(0).values();
    const auto to = du.mutable_values();
    double sum = 0;
    for (std::size_t i = 0; i < dy.size(); ++i) {
      const bool outward = std::abs(u[i]) > most && dy[i] * u[i] < 0;  // the optimizer goes down
      to[i] = outward ? 0.0f : step * dy[i];
      sum += double{dy[i]} * double{y[i]};
    }
    dlog.fill(static_cast<float>(sum));
    return Gradients{ctx.needs(0) ? du : Tensor(), ctx.needs(1) ? dlog : Tensor()};
  });
}

}  // namespace espalier::rate
