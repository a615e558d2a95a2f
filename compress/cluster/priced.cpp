#include "compress/cluster/priced.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.hpp"

namespace espalier::cluster {

// (v - c)^2 + p b differs between centroids by lines in v: the cheapest are their lower envelope.
PricedChoice::PricedChoice(std::span<const float> centroids, std::span<const double> bits,
                           double price) {
  require(!centroids.empty() && centroids.size() == bits.size() && price >= 0, "PricedChoice",
          "wants bits for each centroid and a price >= 0, got ", centroids.size(), ", ",
          bits.size(), " and ", price);
  const auto cost = [&](std::size_t i) {  // at value 0
    return double{centroids[i]} * double{centroids[i]} + price * bits[i];
  };
  // From where on centroid b is cheaper than a < b.
  const auto crossing = [&](std::size_t a, std::size_t b) {
    return (cost(b) - cost(a)) / (2 * (double{centroids[b]} - double{centroids[a]}));
  };
  for (std::size_t i = 0; i < centroids.size(); ++i) {
    if (!kept_.empty() && centroids[kept_.back()] == centroids[i]) {
      if (cost(i) >= cost(kept_.back())) continue;
      kept_.pop_back();
      if (!until_.empty()) until_.pop_back();
    }
    while (!until_.empty() && crossing(kept_.back(), i) <= until_.back())
      kept_.pop_back(), until_.pop_back();
    if (!kept_.empty()) until_.push_back(crossing(kept_.back(), i));
    kept_.push_back(i);
  }
}

std::size_t PricedChoice::operator()(float value) const {
  const auto at = std::ranges::lower_bound(until_, double{value});
  return kept_[static_cast<std::size_t>(at - until_.begin())];
}

std::vector<double> bits_of(std::span<const float> shares, double least) {
  std::vector<double> bits;
  for (const float s : shares) bits.push_back(-std::log2(std::max(double{s}, least)));
  return bits;
}

void priced_lloyd(std::vector<float>& centroids, std::vector<float>& shares,
                  std::span<const float> values, double price, int rounds) {
  const double n = static_cast<double>(values.size());
  for (int round = 0; round < rounds; ++round) {
    const PricedChoice choose(centroids, bits_of(shares, 0.5 / n), price);
    std::vector<double> sums(centroids.size()), counts(centroids.size());
    for (const float v : values) {
      const std::size_t c = choose(v);
      sums[c] += double{v};
      ++counts[c];
    }
    std::vector<std::size_t> order(centroids.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::vector<float> next = centroids;
    for (std::size_t c = 0; c < next.size(); ++c)
      if (counts[c] > 0) next[c] = static_cast<float>(sums[c] / counts[c]);
    std::ranges::stable_sort(order, {}, [&](std::size_t c) { return next[c]; });
    for (std::size_t i = 0; i < order.size(); ++i) {
      centroids[i] = next[order[i]];
      shares[i] = static_cast<float>(counts[order[i]] / n);
    }
  }
}

}  // namespace espalier::cluster
