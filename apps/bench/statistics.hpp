// What a benchmark says of its rounds.
#pragma once

#include <cstddef>
#include <vector>

namespace espalier::bench {

struct Statistics {
  std::size_t rounds = 0;
  double median = 0, p10 = 0, p90 = 0, p95 = 0, p99 = 0;
  double mad = 0;  // median of the distances from the median; no outlier moves it far
};

// The value below which that share lies, between two neighbours by a straight line (Hyndman & Fan
// 1996, definition 7, as NumPy). Errors: kUsage without values or a share outside of 0 to 1.
double quantile(std::vector<double> values, double share);

// Errors: kUsage without values.
Statistics statistics_of(const std::vector<double>& values);

}  // namespace espalier::bench
