#include <doctest/doctest.h>

#include <cmath>

#include "compress/rate/level_code.hpp"
#include "compress/rate/scaled_levels.hpp"
#include "core/ops/ops.hpp"

using namespace espalier;

TEST_CASE("a level costs minus the logarithm of its share, and its sign a bit") {
  rate::LevelCode code(3);
  code.observe(Tensor::from({8}, {0, 0, 0, 0, 1, -1, 2, -9}));  // -9 counts as 3
  CHECK(code.bits(0) == doctest::Approx(1));
  CHECK(code.bits(1) == doctest::Approx(3));  // share 1/4, and the sign
  CHECK(code.bits(2) == doctest::Approx(4));
  CHECK(code.bits(3) == doctest::Approx(4));
  CHECK(code.total_bits(Tensor::from({3}, {0, -1, 2})) == doctest::Approx(8));

  SUBCASE("the slope from 0 has a floor, the others never fall to 0") {
    const auto slopes = code.slopes(5);
    REQUIRE(slopes.size() == 3);
    CHECK(slopes[0] == 5);
    CHECK(slopes[1] == doctest::Approx(1));
    CHECK(slopes[2] == doctest::Approx(std::log2(1.5)));  // 3 is as frequent as 2
    CHECK(code.slopes(0)[0] == doctest::Approx(2));
  }
  SUBCASE("the histogram runs: what came long ago fades") {
    for (int i = 0; i < 1000; ++i) code.observe(Tensor::from({2}, {3, 3}));
    CHECK(code.bits(3) == doctest::Approx(1).epsilon(0.01));
    CHECK(code.bits(0) == doctest::Approx(2));  // half a count of two
  }
}

TEST_CASE("the proximal step moves toward 0 by what a bit costs and stops there") {
  Tensor u = Tensor::from({5}, {0.5f, -0.5f, 1.5f, -9, 0.125f});
  const Tensor square = Tensor::from({5}, {1, 1, 4, 1, 1});
  rate::shrink(u, square, {2, 1}, 0.125f);
  const float want[] = {0.25f, -0.25f, 1.4375f, -8.875f, 0};
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(u.values()[i] == doctest::Approx(want[i]).epsilon(1e-5));
  CHECK_THROWS_AS(rate::shrink(u, Tensor({4}), {1}, 1), Error);
}

TEST_CASE("scaled levels: rounded forward, straight through backward, the step's gradient exact") {
  const Tensor latent = Tensor::from({6}, {0.4f, 0.6f, -1.7f, 2.5f, 5, -5});
  const Tensor weights = Tensor::from({6}, {1, -2, 3, 0.5f, 1, 1});
  const auto loss = [&](const Variable& u, float log_step, Variable* step) {
    const Variable s(Tensor::full({1}, log_step), true);
    if (step) *step = s;
    return ops::sum(ops::multiply(rate::scaled_levels(u, s, {.max_level = 3}), Variable(weights)));
  };
  const Variable u(latent.clone(), true);
  Variable step;
  const Variable y = loss(u, std::log(0.5f), &step);
  // levels 0 1 -2 2 3 -3
  CHECK(y.value().item() == doctest::Approx(0.5 * (-2 - 6 + 1 + 3 - 3)));
  backward(y);
  // Held by the clamp: at 5, dy > 0 leads back in and passes; at -5, dy > 0 leads out.
  const float want[] = {0.5f, -1, 1.5f, 0.25f, 0.5f, 0};
  for (std::size_t i = 0; i < 6; ++i) CHECK(u.gradient().values()[i] == doctest::Approx(want[i]));

  constexpr float h = 1e-2f;
  const float slope = (loss(u, std::log(0.5f) + h, nullptr).value().item() -
                       loss(u, std::log(0.5f) - h, nullptr).value().item()) /
                      (2 * h);
  CHECK(step.gradient().item() == doctest::Approx(slope).epsilon(1e-3));
}

TEST_CASE("before rounding begins the latent itself goes through") {
  const Variable u(Tensor::from({2}, {0.3f, -9}), true);
  const Variable s(Tensor::full({1}, std::log(2.0f)));
  const auto y = rate::scaled_levels(u, s, {.max_level = 3, .round = false});
  CHECK(y.value().values()[0] == doctest::Approx(0.6));
  CHECK(y.value().values()[1] == doctest::Approx(-18));
}
