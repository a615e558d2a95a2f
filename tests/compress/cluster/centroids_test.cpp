#include "compress/cluster/centroids.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"

using namespace espalier;
using namespace espalier::cluster;

TEST_CASE("linear, density and random centroids lie where they say") {
  Rng rng(1, "test");
  const std::vector<float> values = {0, 0, 0, 0, 0, 0, 1, 8};
  CHECK(initial_centroids(values, 3, Init::kLinear, rng) == std::vector<float>{0, 4, 8});
  CHECK(initial_centroids(values, 4, Init::kDensity, rng) == std::vector<float>{0, 0, 0, 8});
  const auto random = initial_centroids(values, 50, Init::kRandom, rng);
  CHECK(std::ranges::is_sorted(random));
  CHECK(random.front() >= 0);
  CHECK(random.back() <= 8);
  CHECK(random.back() - random.front() > 4);
  CHECK_THROWS_AS(initial_centroids({}, 2, Init::kLinear, rng), Error);
  CHECK_THROWS_AS(initial_centroids(values, 0, Init::kLinear, rng), Error);
  CHECK_THROWS_AS(initial_centroids(std::vector<float>{NAN}, 1, Init::kLinear, rng), Error);
}

TEST_CASE("k-means++ spreads its seeds: every far group has its centroid, for every seed") {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) values.push_back(0.001f * static_cast<float>(i % 10));
  for (const float far : {-50.0f, 30.0f, 90.0f}) values.insert(values.end(), 5, far);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Rng rng(seed, "test");
    const auto centroids = initial_centroids(values, 4, Init::kKMeansPlusPlus, rng);
    CHECK(centroids[0] == -50);
    CHECK(centroids[1] == doctest::Approx(0.0045));
    CHECK(centroids[2] == 30);
    CHECK(centroids[3] == 90);
  }
}

TEST_CASE("Lloyd's steps lower the squared error to a fixed point; an idle centroid stays") {
  std::vector<float> centroids = {-100, 1, 2};
  const std::vector<float> values = {0, 0.5f, 4, 5};
  lloyd(centroids, values, 10);
  CHECK(centroids == std::vector<float>{-100, 0.25f, 4.5f});
}

TEST_CASE("nearest: the lower one of two, also past the ends") {
  const std::vector<float> centroids = {-1, 0, 4};
  CHECK(nearest(centroids, -9) == 0);
  CHECK(nearest(centroids, -0.5f) == 0);
  CHECK(nearest(centroids, -0.4f) == 1);
  CHECK(nearest(centroids, 2) == 1);
  CHECK(nearest(centroids, 2.1f) == 2);
  CHECK(nearest(centroids, 9) == 2);
}
