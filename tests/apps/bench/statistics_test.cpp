#include "apps/bench/statistics.hpp"

#include <doctest/doctest.h>

#include "core/base/error.hpp"

using namespace espalier;
using namespace espalier::bench;

TEST_CASE("quantiles lie on straight lines between neighbours, as NumPy's") {
  const std::vector<double> four = {40, 10, 30, 20};
  CHECK(quantile(four, 0) == 10);
  CHECK(quantile(four, 1) == 40);
  CHECK(quantile(four, 0.5) == doctest::Approx(25));
  CHECK(quantile(four, 0.1) == doctest::Approx(13));  // numpy.quantile([10, 20, 30, 40], 0.1)
  CHECK(quantile(four, 0.95) == doctest::Approx(38.5));
  CHECK(quantile({7}, 0.99) == 7);
}

TEST_CASE("statistics of a hundred and one rounds") {
  std::vector<double> values;
  for (int i = 100; i >= 0; --i) values.push_back(i);
  const Statistics s = statistics_of(values);
  CHECK(s.rounds == 101);
  CHECK(s.median == doctest::Approx(50));
  CHECK(s.p10 == doctest::Approx(10));
  CHECK(s.p90 == doctest::Approx(90));
  CHECK(s.p95 == doctest::Approx(95));
  CHECK(s.p99 == doctest::Approx(99));
  CHECK(s.mad == doctest::Approx(25));
}

TEST_CASE("one outlier moves neither the median nor the MAD far") {
  const Statistics s = statistics_of({10, 11, 12, 13, 1e9});
  CHECK(s.median == 12);
  CHECK(s.mad == 1);
  CHECK(statistics_of({5, 5, 5}).mad == 0);
}

TEST_CASE("no values, and a share that is none, are errors") {
  CHECK_THROWS_AS(statistics_of({}), Error);
  CHECK_THROWS_AS(quantile({}, 0.5), Error);
  CHECK_THROWS_AS(quantile({1}, 1.5), Error);
  CHECK_THROWS_AS(quantile({1}, -0.1), Error);
}
