// Choosing centroids by distance and bits.
#include "compress/cluster/priced.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "compress/cluster/centroids.hpp"

using namespace espalier;
using namespace espalier::cluster;

TEST_CASE("the choice is the cheapest of all, for every value") {
  Rng rng(1, "test");
  for (int round = 0; round < 200; ++round) {
    std::vector<float> centroids;
    std::vector<double> bits;
    const auto k = 1 + rng.below(16);
    for (std::size_t i = 0; i < k; ++i) {
      centroids.push_back(rng.uniform(-1, 1));
      bits.push_back(double{rng.uniform(0, 12)});
    }
    if (k > 2) centroids[1] = centroids[0];  // equal ones
    std::ranges::sort(centroids);
    const double price = round % 5 == 0 ? 0 : double{rng.uniform(0, 0.1f)};
    const PricedChoice choose(centroids, bits, price);
    const auto cost = [&](float v, std::size_t c) {
      const double d = double{v} - double{centroids[c]};
      return d * d + price * bits[c];
    };
    for (int i = 0; i < 50; ++i) {
      const float v = rng.uniform(-2, 2);
      double least = HUGE_VAL;
      for (std::size_t c = 0; c < k; ++c) least = std::min(least, cost(v, c));
      CHECK(cost(v, choose(v)) <= least + 1e-9);
      if (price == 0) CHECK(centroids[choose(v)] == centroids[nearest(centroids, v)]);
    }
  }
}

TEST_CASE("priced steps lower distance plus bits, and a price leaves fewer bits") {
  Rng rng(2, "test");
  std::vector<float> values(4000);
  for (float& v : values) v = rng.normal();
  const auto entropy_at = [&](double price) {
    auto centroids = initial_centroids(values, 16, Init::kKMeansPlusPlus, rng);
    std::vector<float> shares(16, 1.0f / 16);
    double before = HUGE_VAL;
    for (int round = 0; round < 20; ++round) {
      const auto bits = bits_of(shares, 0.5 / 4000);
      const PricedChoice choose(centroids, bits, price);
      double total = 0;
      for (const float v : values) {
        const std::size_t c = choose(v);
        const double d = double{v} - double{centroids[c]};
        total += d * d + price * bits[c];
      }
      CHECK(total <= before * (1 + 1e-6));
      before = total;
      priced_lloyd(centroids, shares, values, price, 1);
      CHECK(std::ranges::is_sorted(centroids));
    }
    double entropy = 0;
    for (const float s : shares)
      if (s > 0) entropy -= double{s} * std::log2(double{s});
    return entropy;
  };
  const double free = entropy_at(0), some = entropy_at(0.02), more = entropy_at(0.1);
  CHECK(free > 3.5);
  CHECK(some < free - 0.15);
  CHECK(more < some - 0.5);
}
