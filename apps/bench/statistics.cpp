#include "apps/bench/statistics.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"

namespace espalier::bench {

double quantile(std::vector<double> values, double share) {
  require(!values.empty(), "quantile", "wants at least one value");
  require(0 <= share && share <= 1, "quantile", "wants a share of 0 to 1, got ", share);
  std::ranges::sort(values);
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at), above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], at - static_cast<double>(below));
}

Statistics statistics_of(const std::vector<double>& values) {
  Statistics s{.rounds = values.size(),
               .median = quantile(values, 0.5),
               .p10 = quantile(values, 0.1),
               .p90 = quantile(values, 0.9),
               .p95 = quantile(values, 0.95),
               .p99 = quantile(values, 0.99)};
  std::vector<double> distances;
  for (const double v : values) distances.push_back(std::abs(v - s.median));
  s.mad = quantile(std::move(distances), 0.5);
  return s;
}

}  // namespace espalier::bench
