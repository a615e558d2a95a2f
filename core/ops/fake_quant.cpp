#include <algorithm>
#include <cmath>

#include "core/base/clones.hpp"
#include "core/kernels/integer.hpp"
#include "core/ops/ops.hpp"

namespace espalier::ops {

// level = rint(x / scale[c]) + zero_point, half to even; of means rint(x / scale[c] + zero_point)
// y     = scale[c] (clamp(level) - zero_point)
// dx    = dy where the clamp left the level alone, else 0: the straight-through estimator
// (Bengio et al. 2013; Jacob et al. 2018). A NaN stays one, so that a diverged run is seen.
namespace {

// A mean of levels is a multiple of 1 / n. Of four every fourth is a tie, so float error must not
// decide it; no other mean of n < 2,000 is as near to one.
float round_mean(float mean) {
  constexpr float kError = 2e-4f;
  const float halves = kernels::round_half_even(2 * mean) / 2;
  return kernels::round_half_even(std::abs(mean - halves) < kError ? halves : mean);
}

struct Levels {
  float zero, low, high;
};
constexpr float kFar = 1 << 20;  // beyond every grid, within round_half_even's range

ESPALIER_CLONES
void round_values(const float* x, std::int64_t count, float scale, const Levels& levels, float* y,
                  float* passes) {
  const auto [zero, low, high] = levels;
  for (std::int64_t i = 0; i < count; ++i) {
    const float level = kernels::round_half_even(std::clamp(x[i] / scale, -kFar, kFar)) + zero;
    y[i] = scale * (std::clamp(level, low, high) - zero);
    passes[i] = low <= level && level <= high ? 1.0f : 0.0f;
  }
}
void round_means(const float* x, std::int64_t count, float scale, const Levels& levels, float* y,
                 float* passes) {
  const auto [zero, low, high] = levels;
  for (std::int64_t i = 0; i < count; ++i) {
    const float level = round_mean(std::clamp(x[i] / scale, -kFar, kFar) + zero);
    y[i] = scale * (std::clamp(level, low, high) - zero);
    passes[i] = low <= level && level <= high ? 1.0f : 0.0f;
  }
}

}  // namespace

Variable fake_quant(const Variable& x, FakeQuantGrid grid) {
  const auto channels = static_cast<std::int64_t>(grid.scales.size());
  require(channels == 1 || (x.shape().rank() > 0 && channels == x.shape()[0]), "fake_quant",
          x.shape(), " wants one scale or one a channel of its outermost axis, got ", channels);
  for (const float s : grid.scales)
    require(std::isfinite(s) && s > 0, "fake_quant", "wants scales > 0, got ", s);
  require(grid.min_level <= grid.zero_point && grid.zero_point <= grid.max_level, "fake_quant",
          "wants min_level <= zero_point <= max_level, got ", grid.min_level, ", ", grid.zero_point,
          ", ", grid.max_level);

  const auto zero = static_cast<float>(grid.zero_point);
  Tensor y = Tensor::uninitialized(x.shape()),
         inside = Tensor::uninitialized(x.shape());  // inside: 1 where dy passes
  const float* from = x.value().data();
  float *to = y.mutable_data(), *passes = inside.mutable_data();
  const std::int64_t stride = x.value().elements() / channels;
  const Levels levels{zero, static_cast<float>(grid.min_level), static_cast<float>(grid.max_level)};
  const auto round = grid.means ? round_means : round_values;
  for (const float scale : grid.scales) {
    round(from, stride, scale, levels, to, passes);
    from += stride, to += stride, passes += stride;
  }
  return record("fake_quant", y, {x}, [inside](const BackwardContext& ctx) {
    Tensor dx = ctx.gradient().clone();
    const auto d = dx.mutable_values();
    const auto passes = inside.values();
    for (std::size_t i = 0; i < d.size(); ++i) d[i] *= passes[i];
    return Gradients{dx};
  });
}

}  // namespace espalier::ops
