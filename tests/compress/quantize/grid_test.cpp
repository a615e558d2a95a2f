#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "compress/quantize/grid.hpp"
#include "core/kernels/integer.hpp"

using namespace espalier;
using namespace espalier::quantize;

TEST_CASE("an activation grid holds zero exactly and covers its range") {
  const auto relu = activation_grid(0, 6.35f);
  CHECK(relu.zero_point == 0);
  CHECK(kernels::activation_level(6.35f, relu.scale, relu.zero_point) == 127);
  CHECK(kernels::activation_level(99.0f, relu.scale, relu.zero_point) == 127);
  CHECK(kernels::activation_level(-1.0f, relu.scale, relu.zero_point) == 0);
  const auto both = activation_grid(-1, 1);
  CHECK(both.zero_point == 64);
  CHECK(kernels::activation_level(0.0f, both.scale, both.zero_point) == 64);
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
  CHECK(kernels::requantize(5, 0.5f, 0) == 2);
  CHECK(kernels::requantize(7, 0.5f, 0) == 4);
  CHECK(kernels::requantize(5, 0.5f, 10) == 12);
  CHECK(kernels::requantize(-5, 0.5f, 1) == 0);
  CHECK(kernels::requantize(std::numeric_limits<std::int32_t>::max(), 1e30f, 64) == 127);
  CHECK(kernels::requantize(std::numeric_limits<std::int32_t>::min(), 1e30f, 64) == 0);
}

TEST_CASE("bounded scales keep every sum below 2^24, and give dead channels a sensible grid") {
  const Tensor w = Tensor::full({2, 4000}, 0.5f), none({2});
  Tensor dead = w.clone();
  for (std::int64_t i = 0; i < 4000; ++i) dead.mutable_data()[i] = 0;
  const auto scales = bounded_weight_scales(w, 8, none, 1);
  std::int64_t sum = 0;
  for (const auto level : weight_levels(w, scales, 8)) sum += level;
  CHECK(127 * sum / 2 < (1 << 24) - (1 << 20));
  CHECK(scales[0] > weight_scales(w, 8)[0]);
  CHECK(bounded_weight_scales(dead, 8, none, 1)[0] == scales[1]);
  CHECK(bias_levels(Tensor::from({2}, {1, -0.26f}), 0.5f, {0.5f, 1.0f}) ==
        std::vector<std::int32_t>{4, -1});
  CHECK_THROWS_AS(bias_levels(Tensor::from({1}, {1e9f}), 0.5f, {0.5f}), Error);
}

TEST_CASE("a bias that is large beside its weights makes its channel coarser, not the run fail") {
  const Tensor w = Tensor::from({3, 2}, {1e-4f, -1e-4f, 0.5f, 0.25f, 0, 0});
  const Tensor bias = Tensor::from({3}, {-40, 1, 1e6f});
  const float s_x = 0.01f;
  const auto scales = bounded_weight_scales(w, 8, bias, s_x);
  CHECK(scales[0] > weight_scales(w, 8)[0]);
  CHECK(scales[1] == weight_scales(w, 8)[1]);
  for (const auto level : bias_levels(bias, s_x, scales)) CHECK(std::abs(level) < (1 << 20));
  CHECK_THROWS_AS(bounded_weight_scales(w, 8, Tensor({2}), s_x), Error);
}
