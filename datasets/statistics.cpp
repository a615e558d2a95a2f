#include "datasets/statistics.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/interrupt.hpp"

namespace espalier::datasets {

Statistics statistics_of(const Dataset& dataset,
                         const std::function<void(std::int64_t done)>& progress) {
  require(dataset.size() > 0, "statistics_of", "the data set is empty");
  const auto channels = static_cast<std::size_t>(dataset.image_shape()[2]);
  Statistics result{std::vector<std::int64_t>(static_cast<std::size_t>(dataset.classes())),
                    std::vector<double>(channels), std::vector<double>(channels)};
  // Values lie in 0..1, and double adds billions of them: sums of squares lose nothing that shows.
  std::vector<double> sum(channels), squares(channels);
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    check_interrupt("statistics");
    const Example example = dataset.get(i);
    ++result.counts[static_cast<std::size_t>(example.label)];
    const auto values = example.image.values();
    for (std::size_t k = 0; k < values.size(); ++k) {
      const double v = values[k];
      sum[k % channels] += v;
      squares[k % channels] += v * v;
    }
    if (progress) progress(i + 1);
  }
  const auto n = static_cast<double>(dataset.size() * dataset.image_shape().elements()) /
                 static_cast<double>(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    result.mean[c] = sum[c] / n;
    result.deviation[c] =
        std::sqrt(std::max(0.0, squares[c] / n - result.mean[c] * result.mean[c]));
  }
  return result;
}

}  // namespace espalier::datasets
