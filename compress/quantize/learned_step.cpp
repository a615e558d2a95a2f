#include "compress/quantize/learned_step.hpp"

#include <algorithm>
#include <cmath>

#include "core/kernels/integer.hpp"

namespace espalier::quantize {

Variable learned_step(const Variable& w, const Variable& steps, const std::vector<float>& used,
                      int max_level) {
  const auto groups = static_cast<std::size_t>(steps.value().elements());
  const std::size_t stride = w.value().values().size() / used.size();
  require(groups == 1 || groups == used.size(), "learned_step", "wants one step or ", used.size(),
          ", got ", groups);
  const auto q = static_cast<float>(max_level);
  Tensor y = Tensor::uninitialized(w.shape());
  const auto from = w.value().values();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const float s = used[i / stride];
    y.mutable_values()[i] = s * kernels::round_half_even(std::clamp(from[i] / s, -q, q));
  }
  return record("learned_step", y, {w, steps}, [=](const BackwardContext& ctx) {
    Tensor dw(ctx.gradient().shape()), ds({static_cast<std::int64_t>(groups)});
    const auto dy = ctx.gradient().values(), w = ctx.input(0).values();
    std::vector<double> sums(groups);
    for (std::size_t i = 0; i < dy.size(); ++i) {
      const std::size_t c = i / stride;
      const float v = w[i] / used[c];
      const bool inside = std::abs(v) < q;
      if (inside) dw.mutable_values()[i] = dy[i];
      const float slope = inside ? kernels::round_half_even(v) - v : std::copysign(q, v);
      sums[groups == 1 ? 0 : c] += double{dy[i]} * double{slope};
    }
    const double n = static_cast<double>(dy.size()) / static_cast<double>(groups);
    const double g = 1 / std::sqrt(n * double{q});
    for (std::size_t c = 0; c < groups; ++c)
      ds.mutable_values()[c] = static_cast<float>(g * sums[c]);
    return Gradients{ctx.needs(0) ? dw : Tensor(), ctx.needs(1) ? ds : Tensor()};
  });
}

Variable learned_activation_step(const Variable& x, const Variable& step, float used,
                                 int max_level) {
  require(step.value().elements() == 1 && x.shape().rank() >= 2, "learned_activation_step",
          "wants one step and activations [N ...], got ", step.shape(), " and ", x.shape());
  const auto q = static_cast<float>(max_level);
  Tensor y = Tensor::uninitialized(x.shape());
  const auto from = x.value().values();
  for (std::size_t i = 0; i < from.size(); ++i)
    y.mutable_values()[i] = used * kernels::round_half_even(std::clamp(from[i] / used, 0.0f, q));
  return record("learned_activation_step", y, {x, step}, [=](const BackwardContext& ctx) {
    Tensor dx(ctx.gradient().shape());
    const auto dy = ctx.gradient().values(), x = ctx.input(0).values();
    double sum = 0;
    for (std::size_t i = 0; i < dy.size(); ++i) {
      const float v = x[i] / used;
      const bool inside = 0 < v && v < q;
      if (inside) dx.mutable_values()[i] = dy[i];
      const float slope = inside ? kernels::round_half_even(v) - v : v < q ? 0.0f : q;
      sum += double{dy[i]} * double{slope};
    }
    const double n = static_cast<double>(dy.size()) / static_cast<double>(dx.shape()[0]);
    Tensor ds({1});
    ds.mutable_data()[0] = static_cast<float>(sum / std::sqrt(n * double{q}));
    return Gradients{ctx.needs(0) ? dx : Tensor(), ctx.needs(1) ? ds : Tensor()};
  });
}

}  // namespace espalier::quantize
