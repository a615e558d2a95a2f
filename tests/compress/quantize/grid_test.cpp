#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "compress/quantize/grid.hpp"

using namespace espalier;
using namespace espalier::quantize;

TEST_CASE("an activation grid holds zero exactly and covers its range") {
  const auto relu = activation_grid(0, 6.35f);
  CHECK(relu.zero_point == 0);
  CHECK(activation_level(6.35f, relu) == 127);
  CHECK(activation_level(99.0f, relu) == 127);
  CHECK(activation_level(-1.0f, relu) == 0);
  const auto both = activation_grid(-1, 1);
  CHECK(both.zero_point == 64);
  CHECK(activation_level(0.0f, both) == 64);
  CHECK(activation_grid(2, 3).zero_point == 0);  // widened to hold 0
  CHECK(activation_grid(0, 0).scale == 1);
  CHECK_THROWS_AS(activation_grid(0, std::numeric_limits<float>::infinity()), Error);
  CHECK_THROWS_AS(activation_grid(1, 0), Error);
}

TEST_CASE("weights: symmetric levels, a scale per channel, zeros stay zero") {
  const Tensor w = Tensor::from({2, 3}, {0.5f, -1, 0, 0, 0, 0});
  const auto scales = weight_scales(w, 8);
  CHECK(scales[0] == doctest::Approx(1.0 / 127));
  CHECK(scales[1] == 1);
  const auto levels = weight_levels(w, scales, 8);
  CHECK(levels[0] == 64);  // 63.5 rounds to even
  CHECK(levels[1] == -127);
  CHECK(levels[2] == 0);
  CHECK(levels[4] == 0);
  CHECK(max_weight_level(2) == 1);
  CHECK_THROWS_AS(max_weight_level(9), Error);
  CHECK_THROWS_AS(weight_levels(w, {1}, 8), Error);
}

TEST_CASE("requantize rounds half to even and clamps, whatever the accumulator") {
  CHECK(requantize(5, 0.5f, 0) == 2);
  CHECK(requantize(7, 0.5f, 0) == 4);
  CHECK(requantize(5, 0.5f, 10) == 12);
  CHECK(requantize(-5, 0.5f, 1) == 0);
  CHECK(requantize(std::numeric_limits<std::int32_t>::max(), 1e30f, 64) == 127);
  CHECK(requantize(std::numeric_limits<std::int32_t>::min(), 1e30f, 64) == 0);
}
