#include "compress/cluster/centroids.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"

namespace espalier::cluster {
namespace {

// Each next one is a value, drawn by its squared distance to those that are there.
std::vector<float> spread(std::span<const float> values, int k, Rng& rng) {
  std::vector<float> chosen = {values[rng.below(values.size())]};
  std::vector<double> squares(values.size(), HUGE_VAL);
  while (std::ssize(chosen) < k) {
    double total = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double d = double{values[i]} - double{chosen.back()};
      total += squares[i] = std::min(squares[i], d * d);
    }
    double left = double{rng.uniform()} * total;
    std::size_t at = 0;
    while (at + 1 < values.size() && (left -= squares[at]) >= 0) ++at;
    chosen.push_back(values[at]);
  }
  return chosen;
}

}  // namespace

std::vector<float> initial_centroids(std::span<const float> values, int k, Init init, Rng& rng) {
  require(k >= 1 && !values.empty(), "initial_centroids", "wants k >= 1 and values, got k = ", k,
          " and ", values.size(), " values");
  require(std::ranges::all_of(values, [](float v) { return std::isfinite(v); }),
          ErrorKind::kDiverged, "clustering", "a weight is no finite number");
  std::vector<float> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const float low = sorted.front(), high = sorted.back();
  std::vector<float> centroids;
  if (init == Init::kKMeansPlusPlus) {
    centroids = spread(values, k, rng);
  } else {
    for (int i = 0; i < k; ++i) {
      const float part = k == 1 ? 0.5f : static_cast<float>(i) / static_cast<float>(k - 1);
      const auto quantile =
          static_cast<std::size_t>((i + 0.5) / k * static_cast<double>(sorted.size()));
      centroids.push_back(init == Init::kLinear    ? low + part * (high - low)
                          : init == Init::kDensity ? sorted[std::min(quantile, sorted.size() - 1)]
                                                   : rng.uniform(low, high));
    }
  }
  std::ranges::sort(centroids);
  constexpr int kRounds = 50;
  if (init == Init::kKMeansPlusPlus) lloyd(centroids, sorted, kRounds);
  return centroids;
}

void lloyd(std::vector<float>& centroids, std::span<const float> values, int rounds) {
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> sums(centroids.size());
    std::vector<std::int64_t> counts(centroids.size());
    for (const float v : values) {
      const std::size_t c = nearest(centroids, v);
      sums[c] += double{v};
      ++counts[c];
    }
    bool moved = false;
    for (std::size_t c = 0; c < centroids.size(); ++c) {
      if (counts[c] == 0) continue;
      const auto mean = static_cast<float>(sums[c] / static_cast<double>(counts[c]));
      moved = moved || mean != centroids[c];
      centroids[c] = mean;
    }
    std::ranges::sort(centroids);
    if (!moved) return;
  }
}

std::size_t nearest(std::span<const float> centroids, float value) {
  const auto above = std::ranges::lower_bound(centroids, value);
  if (above == centroids.begin()) return 0;
  const auto at = static_cast<std::size_t>(above - centroids.begin());
  if (above == centroids.end()) return at - 1;
  return value - centroids[at - 1] <= *above - value ? at - 1 : at;
}

}  // namespace espalier::cluster
