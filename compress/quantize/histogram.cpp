#include "compress/quantize/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace espalier::quantize {
namespace {

// Pairs of bins merge toward the middle: [-r, r] becomes the inner half of [-2r, 2r].
void double_range(std::span<float> state) {
  constexpr std::int64_t n = Histogram::kBins;
  std::vector<float> merged(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i)
    merged[static_cast<std::size_t>(n / 4 + i / 2)] += state[static_cast<std::size_t>(1 + i)];
  std::ranges::copy(merged, state.begin() + 1);
  state[0] *= 2;
}

// Clipped at the magnitude of the least cost; of equal ones the largest.
Range best_factor(const Histogram& histogram, const std::function<double(Range)>& cost) {
  const Range whole = whole_range(histogram);
  Range best = whole;
  double least = cost(whole);
  for (int percent = 99; percent >= 20; --percent) {
    const float most = static_cast<float>(percent) / 100 * std::max(-whole.low, whole.high);
    const Range range{std::max(whole.low, -most), std::min(whole.high, most)};
    if (const double c = cost(range); c < least) least = c, best = range;
  }
  return best;
}

struct Levels {
  double low, step;
  int count;
  Levels(Range range, int levels)
      : low(double{range.low}), step((double{range.high} - low) / (levels - 1)), count(levels) {}
  int of(double x) const {
    return static_cast<int>(std::clamp(std::nearbyint((x - low) / step), 0.0, count - 1.0));
  }
  double value(int level) const { return low + step * level; }
};

double squared_error(const Histogram& histogram, Range range, int count) {
  const Levels levels(range, count);
  double sum = 0;
  for (std::int64_t bin = 0; bin < histogram.bins(); ++bin) {
    if (histogram.count(bin) == 0) continue;
    const double x = histogram.center(bin), error = x - levels.value(levels.of(x));
    sum += histogram.count(bin) * error * error;
  }
  return sum;
}

double divergence(const Histogram& histogram, Range range, int count) {
  const Levels levels(range, count);
  const auto inside = [&](double x) { return double{range.low} <= x && x <= double{range.high}; };
  // P: the bins inside, clipped mass at the outermost of them. Q: each level's own mass, spread
  // evenly over its bins that are not empty.
  std::int64_t first = histogram.bins(), last = -1;
  double below = 0, above = 0, total = 0;
  for (std::int64_t bin = 0; bin < histogram.bins(); ++bin) {
    const double n = histogram.count(bin), x = histogram.center(bin);
    total += n;
    if (inside(x)) first = std::min(first, bin), last = bin;
    if (x < double{range.low}) below += n;
    if (x > double{range.high}) above += n;
  }
  if (last < first) return HUGE_VAL;
  std::vector<double> mass(static_cast<std::size_t>(count)), filled(mass.size());
  double kept = 0;
  for (std::int64_t bin = first; bin <= last; ++bin) {
    const auto level = static_cast<std::size_t>(levels.of(histogram.center(bin)));
    mass[level] += histogram.count(bin);
    filled[level] += histogram.count(bin) > 0;
    kept += histogram.count(bin);
  }
  double sum = 0;
  for (std::int64_t bin = first; bin <= last; ++bin) {
    const double n = histogram.count(bin) + (bin == first ? below : 0) + (bin == last ? above : 0);
    if (n == 0) continue;
    const auto level = static_cast<std::size_t>(levels.of(histogram.center(bin)));
    const double p = n / total;
    // An edge bin that holds clipped values alone: half a count, where Q has none.
    const double q = histogram.count(bin) > 0 ? mass[level] / filled[level] / kept : 0.5 / kept;
    sum += p * std::log(p / q);
  }
  return sum;
}

}  // namespace

void Histogram::observe(const Tensor& values) {
  float largest = 0;
  for (const float v : values.values()) largest = std::max(largest, std::abs(v));
  const auto state = state_.mutable_values();
  if (state[0] == 0) {
    if (values.elements() == 0) return;
    state[0] = largest > 0 ? std::exp2(std::ceil(std::log2(largest))) : 1.0f;
  }
  while (largest > state[0]) double_range(state);
  std::vector<std::int64_t> counts(static_cast<std::size_t>(kBins));
  const float scale = static_cast<float>(kBins) / (2 * state[0]);
  for (const float v : values.values()) {
    const auto bin = static_cast<std::int64_t>((v + state[0]) * scale);
    ++counts[static_cast<std::size_t>(std::clamp<std::int64_t>(bin, 0, kBins - 1))];
  }
  for (std::size_t i = 0; i < counts.size(); ++i) state[1 + i] += static_cast<float>(counts[i]);
}

Range whole_range(const Histogram& histogram) {
  return range_by_percentile(histogram, 1);
}

Range range_by_percentile(const Histogram& histogram, double share) {
  require(histogram.seen(), "histogram", "has seen no value: calibrate first");
  require(0.5 < share && share <= 1, "range_by_percentile", "wants a share in (0.5, 1], got ",
          share);
  double total = 0;
  for (std::int64_t bin = 0; bin < histogram.bins(); ++bin) total += histogram.count(bin);
  const double most = (1 - share) * total;  // outside, on a side
  std::int64_t low = 0, high = histogram.bins() - 1;
  for (double left = 0; left + histogram.count(low) <= most && low < high; ++low)
    left += histogram.count(low);
  for (double left = 0; left + histogram.count(high) <= most && high > low; --high)
    left += histogram.count(high);
  const double half = histogram.width() / 2;
  // 0 is a value of its own, at the lower edge of the middle bin.
  const double lowest = low == histogram.bins() / 2 ? 0 : histogram.center(low) - half;
  return {static_cast<float>(std::min(lowest, 0.0)),
          static_cast<float>(std::max(histogram.center(high) + half, 0.0))};
}

Range range_by_squared_error(const Histogram& histogram, int levels) {
  return best_factor(histogram, [&](Range r) { return squared_error(histogram, r, levels); });
}

Range range_by_entropy(const Histogram& histogram, int levels) {
  return best_factor(histogram, [&](Range r) { return divergence(histogram, r, levels); });
}

}  // namespace espalier::quantize
