// What is no better than one answer to all.
#include "optim/training/chance.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "datasets/feature_rows.hpp"

using namespace espalier;
using namespace espalier::training;

TEST_CASE("chance is the most frequent class's share, within half a standard error") {
  std::vector<int> labels(100, 0);
  for (int i = 0; i < 30; ++i) labels[static_cast<std::size_t>(i)] = 1 + i % 2;
  const datasets::FeatureRows rows(std::vector<float>(100), labels, 3, {{0, 1}});
  CHECK(most_frequent_share(rows) == doctest::Approx(0.7));
  CHECK(loss_of_chance(rows) == doctest::Approx(-0.7 * std::log(0.7) - 2 * 0.15 * std::log(0.15)));
  CHECK(is_at_chance(0.3, rows));
  CHECK(is_at_chance(0.7, rows));
  CHECK(is_at_chance(0.72, rows));  // 0.5 * sqrt(0.21 / 100) = 0.023
  CHECK_FALSE(is_at_chance(0.73, rows));
  const datasets::FeatureRows one(std::vector<float>(4), {0, 0, 0, 0}, 2, {{0, 1}});
  CHECK(is_at_chance(1, one));
}
