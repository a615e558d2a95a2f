#include "compress/quantize/weight_rule.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "compress/quantize/grid.hpp"
#include "compress/quantize/learned_step.hpp"
#include "core/kernels/integer.hpp"
#include "core/ops/ops.hpp"

namespace espalier::quantize {
namespace {

constexpr double kSumLimit = (1 << 24) - (1 << 20);  // the rest is the bias's: INTEGERS.md

std::size_t channels_of(const Tensor& w) {
  return static_cast<std::size_t>(w.shape()[0]);
}

double mean_magnitude(std::span<const float> w) {
  double sum = 0;
  for (const float v : w) {
    require(std::isfinite(v), ErrorKind::kDiverged, "quantize", "a weight is no finite number");
    sum += std::abs(double{v});
  }
  return sum / static_cast<double>(w.size());
}

// What shares a scale: the weights of a channel, or all.
std::span<const float> sharing(const Tensor& w, const WeightRule& rule, std::size_t channel) {
  if (!rule.per_channel) return w.values();
  const std::size_t stride = w.values().size() / channels_of(w);
  return w.values().subspan(channel * stride, stride);
}

float threshold_of(std::span<const float> w) {
  return static_cast<float>(0.7 * mean_magnitude(w));
}

float scale_of(std::span<const float> w, WeightLevels levels) {
  if (levels == WeightLevels::kBinary) return static_cast<float>(mean_magnitude(w));
  const float threshold = threshold_of(w);
  double sum = 0, count = 0;
  for (const float v : w)
    if (std::abs(v) > threshold) sum += std::abs(double{v}), ++count;
  return count > 0 ? static_cast<float>(sum / count) : 0.0f;
}

// A channel of zeros takes the largest scale of the others: its bias then keeps a sensible grid.
void fill_empty(std::vector<float>& scales) {
  const float largest = std::ranges::max(scales);
  for (float& s : scales)
    if (!(s > 0)) s = largest > 0 ? largest : 1.0f;
}

float finest_for_bias(SumBounds bounds, std::size_t channel) {
  return std::abs(bounds.bias.values()[channel]) /
         (bounds.input_scale * static_cast<float>((1 << 20) - 2));
}

// Steps of uniform levels, coarser where a channel's sums would not fit.
float bounded_step(std::span<const float> row, float step, int max_level) {
  const auto q = static_cast<float>(max_level);
  const auto sum = [&] {
    double levels = 0;
    for (const float v : row)
      levels += double{std::abs(kernels::round_half_even(std::clamp(v / step, -q, q)))};
    return kernels::kMaxActivationLevel * levels;
  };
  if (kernels::kMaxActivationLevel * double{q} * static_cast<double>(row.size()) < kSumLimit)
    return step;
  while (sum() >= kSumLimit) step *= 1.0625f;
  return step;
}

}  // namespace

Tensor first_steps(const Tensor& w, const WeightRule& rule) {
  const std::size_t count = rule.per_channel ? channels_of(w) : 1;
  std::vector<float> steps;
  for (std::size_t c = 0; c < count; ++c)
    steps.push_back(static_cast<float>(2 * mean_magnitude(sharing(w, rule, c)) /
                                       std::sqrt(double(max_weight_level(rule.bits)))));
  fill_empty(steps);
  Tensor first({static_cast<std::int64_t>(count)});
  std::ranges::copy(steps, first.mutable_data());
  return first;
}

std::vector<float> scales_of(const Tensor& w, const WeightRule& rule, const Tensor& steps,
                             SumBounds bounds) {
  const std::size_t channels = channels_of(w), stride = w.values().size() / channels;
  std::vector<float> scales;
  if (rule.levels != WeightLevels::kUniform) {
    require(kernels::kMaxActivationLevel * static_cast<double>(stride) < kSumLimit, "quantize",
            "a channel has ", stride,
            " weights: as -1 and 1 their sums may pass 2^24; give the "
            "layer bits of its own");
    if (rule.per_channel)
      for (std::size_t c = 0; c < channels; ++c)
        scales.push_back(scale_of(sharing(w, rule, c), rule.levels));
    else
      scales.assign(channels, scale_of(w.values(), rule.levels));
    fill_empty(scales);
  } else if (rule.learned_step) {
    const auto s = steps.values();
    for (std::size_t c = 0; c < channels; ++c)
      scales.push_back(bounded_step(w.values().subspan(c * stride, stride),
                                    s[s.size() == 1 ? 0 : c], max_weight_level(rule.bits)));
  } else {
    scales = bounded_weight_scales(w, rule.bits, bounds.bias, bounds.input_scale);
  }
  for (std::size_t c = 0; c < channels; ++c)
    scales[c] = std::max(scales[c], finest_for_bias(bounds, c));
  if (!rule.per_channel) std::ranges::fill(scales, float{std::ranges::max(scales)});
  return scales;
}

std::vector<std::int8_t> levels_of(const Tensor& w, const WeightRule& rule,
                                   const std::vector<float>& scales) {
  if (rule.levels == WeightLevels::kUniform) return weight_levels(w, scales, rule.bits);
  const auto from = w.values();
  const std::size_t stride = from.size() / scales.size();
  std::vector<std::int8_t> levels(from.size());
  float threshold = -1;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (rule.levels == WeightLevels::kTernary && (i == 0 || (rule.per_channel && i % stride == 0)))
      threshold = threshold_of(sharing(w, rule, i / stride));
    levels[i] = std::abs(from[i]) > threshold ? (from[i] < 0 ? -1 : 1) : 0;
  }
  return levels;
}

Variable on_levels(const Variable& w, const WeightRule& rule, const std::vector<float>& scales,
                   const Variable& steps) {
  const std::int32_t q = max_weight_level(rule.stored_bits());
  if (rule.levels == WeightLevels::kUniform && rule.learned_step)
    return learned_step(w, steps, scales, q);
  if (rule.levels == WeightLevels::kUniform)
    return ops::fake_quant(w, {.scales = scales, .zero_point = 0, .min_level = -q, .max_level = q});
  const auto levels = levels_of(w.value(), rule, scales);
  const std::size_t stride = levels.size() / scales.size();
  Tensor y = Tensor::uninitialized(w.shape());
  for (std::size_t i = 0; i < levels.size(); ++i)
    y.mutable_values()[i] = scales[i / stride] * static_cast<float>(levels[i]);
  if (rule.levels == WeightLevels::kTernary)
    return record("ternary", y, {w},
                  [](const BackwardContext& ctx) { return Gradients{ctx.gradient()}; });
  const float share = 1 / static_cast<float>(rule.per_channel ? stride : levels.size());
  return record("binary", y, {w}, [=](const BackwardContext& ctx) {
    Tensor dw = ctx.gradient().clone();
    const auto d = dw.mutable_values();
    const auto w = ctx.input(0).values();
    for (std::size_t i = 0; i < d.size(); ++i)
      d[i] *= share + (std::abs(w[i]) <= 1 ? scales[i / stride] : 0.0f);
    return Gradients{dw};
  });
}

}  // namespace espalier::quantize
