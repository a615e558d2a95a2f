#include "compress/quantize/histogram.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "compress/quantize/observer.hpp"
#include "core/base/rng.hpp"

using namespace espalier;
using namespace espalier::quantize;
namespace {

Tensor normal(std::int64_t count, std::uint64_t seed = 1) {
  Rng rng(seed, "values");
  Tensor t({count});
  for (float& v : t.mutable_values()) v = rng.normal();
  return t;
}

double total(const Histogram& histogram) {
  double sum = 0;
  for (std::int64_t bin = 0; bin < histogram.bins(); ++bin) sum += histogram.count(bin);
  return sum;
}

// What rounding the values to 128 levels over the range costs, directly.
double squared_error(const Tensor& values, Range range) {
  const double step = (double{range.high} - double{range.low}) / 127;
  double sum = 0;
  for (const float v : values.values()) {
    const double level =
        std::clamp(std::nearbyint((double{v} - double{range.low}) / step), 0., 127.);
    const double error = double{v} - (double{range.low} + step * level);
    sum += error * error;
  }
  return sum;
}

}  // namespace

TEST_CASE("the histogram counts everything, also what comes in a wider range later") {
  Histogram histogram;
  CHECK(!histogram.seen());
  histogram.observe(Tensor::from({4}, {0, 0.25f, -0.5f, 0.75f}));
  CHECK(histogram.width() * 4096 == 2);
  histogram.observe(Tensor::from({3}, {5, -1.5f, 0}));
  CHECK(histogram.width() * 4096 == 16);
  CHECK(total(histogram) == 7);
  const Range whole = whole_range(histogram);
  CHECK(whole.low == doctest::Approx(-1.5).epsilon(0.01));
  CHECK(whole.high == doctest::Approx(5).epsilon(0.01));
  Histogram zeros;
  zeros.observe(Tensor({8}));
  CHECK(whole_range(zeros).low == 0);
  CHECK_THROWS_AS(whole_range(Histogram()), Error);
}

TEST_CASE("a percentile leaves out the tails, of a relu the upper one alone") {
  const Tensor values = normal(200000);
  Histogram histogram;
  histogram.observe(values);
  const Range range = range_by_percentile(histogram, 0.99);
  CHECK(range.low == doctest::Approx(-2.326).epsilon(0.02));
  CHECK(range.high == doctest::Approx(2.326).epsilon(0.02));
  Tensor positive = values.clone();
  for (float& v : positive.mutable_values()) v = std::max(v, 0.0f);
  Histogram relu;
  relu.observe(positive);
  CHECK(range_by_percentile(relu, 0.99).low == 0);
  CHECK(range_by_percentile(relu, 0.99).high == doctest::Approx(2.326).epsilon(0.02));
  CHECK_THROWS_AS(range_by_percentile(histogram, 0.5), Error);
}

TEST_CASE("least squared error: near the best of all, and it clips an outlier") {
  Tensor values = normal(200000);
  values.mutable_values()[0] = 40;
  Histogram histogram;
  histogram.observe(values);
  const Range chosen = range_by_squared_error(histogram, 128), whole = whole_range(histogram);
  CHECK(chosen.high < 0.5 * whole.high);
  double least = 1e30;
  for (int percent = 20; percent <= 100; ++percent) {
    const float most = 0.01f * static_cast<float>(percent) * whole.high;
    least = std::min(least, squared_error(values, {std::max(whole.low, -most), most}));
  }
  CHECK(squared_error(values, chosen) < 1.05 * least);
}

TEST_CASE("entropy: an even distribution is kept whole, a long tail is cut") {
  Tensor even({40960});
  for (std::size_t i = 0; i < even.values().size(); ++i)
    even.mutable_values()[i] = static_cast<float>(i) / 40960;
  Histogram flat;
  flat.observe(even);
  CHECK(range_by_entropy(flat, 128).high > 0.98f);
  Tensor tailed = normal(40960);
  for (std::size_t i = 0; i < 8; ++i) tailed.mutable_values()[i] = 30 + static_cast<float>(i);
  Histogram tail;
  tail.observe(tailed);
  CHECK(range_by_entropy(tail, 128).high < 25);
}

TEST_CASE("observers that count: the state is all they know, and the grid follows it") {
  for (const auto kind :
       {ObserverKind::kPercentile, ObserverKind::kSquaredError, ObserverKind::kEntropy}) {
    RangeObserver observer(kind), copy(kind);
    CHECK(!observer.seen());
    CHECK_THROWS_AS(observer.grid(), Error);
    observer.observe(normal(5000));
    const float before = observer.grid().scale;
    observer.observe(normal(5000, 2));
    Tensor wide = normal(5000);
    for (float& v : wide.mutable_values()) v *= 4;
    observer.observe(wide);
    CHECK(observer.grid().scale > before);
    copy.state().copy_from(observer.state());
    CHECK(copy.grid().scale == observer.grid().scale);
    CHECK(copy.grid().zero_point == observer.grid().zero_point);
    CHECK_THROWS_AS(observer.observe(Tensor::from({1}, {std::nanf("")})), Error);
  }
}
