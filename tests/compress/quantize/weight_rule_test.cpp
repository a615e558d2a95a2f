// Weights on levels: what the papers say, by hand.
#include "compress/quantize/weight_rule.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "compress/quantize/learned_step.hpp"
#include "core/base/rng.hpp"
#include "core/ops/ops.hpp"

using namespace espalier;
using quantize::WeightLevels;
using quantize::WeightRule;
namespace {

const Tensor kNoBias = Tensor::from({2}, {0, 0});

std::vector<float> gradient_of(const Variable& v) {
  return {v.gradient().values().begin(), v.gradient().values().end()};
}

}  // namespace

TEST_CASE("a learned step's gradient is equation 3, scaled by 1 / sqrt(n q)") {
  Rng rng(1, "test");
  for (const int q : {1, 3, 7, 127})
    for (const bool one : {false, true}) {
      Tensor w({3, 8}), direction({3, 8});
      for (float& v : w.mutable_values()) v = rng.uniform(-1.5f, 1.5f) * static_cast<float>(q) / 4;
      for (float& v : direction.mutable_values()) v = rng.uniform(-1, 1);
      const std::vector<float> s =
          one ? std::vector<float>{0.25f, 0.25f, 0.25f} : std::vector<float>{0.2f, 0.3f, 0.25f};
      const Variable weight(w, true),
          steps(one ? Tensor::from({1}, {0.25f}) : Tensor::from({3}, {0.2f, 0.3f, 0.25f}), true);
      backward(ops::sum(
          ops::multiply(quantize::learned_step(weight, steps, s, q), Variable(direction))));
      std::vector<double> wanted(one ? 1 : 3);
      for (std::size_t i = 0; i < 24; ++i) {
        const double v = double{w.values()[i]} / double{s[i / 8]};
        const double slope = v <= -q ? -q : v >= q ? q : std::nearbyint(v) - v;
        wanted[one ? 0 : i / 8] += slope * double{direction.values()[i]};
        const bool inside = std::abs(v) < q;
        CHECK(weight.gradient().values()[i] == (inside ? direction.values()[i] : 0.0f));
      }
      for (std::size_t c = 0; c < wanted.size(); ++c)
        CHECK(double{steps.gradient().values()[c]} ==
              doctest::Approx(wanted[c] / std::sqrt((one ? 24.0 : 8.0) * q)).epsilon(1e-4));
    }
}

TEST_CASE("a learned activation step: equations 1, 3 and 5, scaled by 1 / sqrt(features q)") {
  Rng rng(2, "test");
  for (const int q : {3, 15, 127}) {
    const float s = 0.3f;
    Tensor x({5, 2, 3, 4}), direction(x.shape());  // 24 features an example
    for (float& v : x.mutable_values())
      v = std::max(0.0f, rng.uniform(-0.5f, 1.5f) * s * static_cast<float>(q));
    for (float& v : direction.mutable_values()) v = rng.uniform(-1, 1);
    x.mutable_values()[0] = s * static_cast<float>(q);      // where the clamp begins
    x.mutable_values()[1] = 2 * s * static_cast<float>(q);  // and beyond
    const Variable activations(x, true), step(Tensor::from({1}, {s}), true);
    const Variable y = quantize::learned_activation_step(activations, step, s, q);
    backward(ops::sum(ops::multiply(y, Variable(direction))));
    double wanted = 0;
    std::set<int> parts;  // below, inside, above
    for (std::size_t i = 0; i < x.values().size(); ++i) {
      const double v = double{x.values()[i]} / double{s}, d = double{direction.values()[i]};
      CHECK(double{y.value().values()[i]} ==
            doctest::Approx(double{s} * std::nearbyint(std::min(v, double(q)))));
      wanted += d * (v <= 0 ? 0 : v >= q ? q : std::nearbyint(v) - v);
      const bool inside = 0 < v && v < q;
      CHECK(activations.gradient().values()[i] == (inside ? direction.values()[i] : 0.0f));
      parts.insert(v <= 0 ? -1 : inside ? 0 : 1);
    }
    CHECK(parts.size() == 3);
    CHECK(double{step.gradient().values()[0]} ==
          doctest::Approx(wanted / std::sqrt(24.0 * q)).epsilon(1e-4));
  }
  CHECK_THROWS_AS(
      quantize::learned_activation_step(Variable(Tensor({2, 3})), Variable(Tensor({2})), 1, 3),
      Error);
}

TEST_CASE("first steps are 2 mean|w| / sqrt(q); a channel of zeros takes another's") {
  const Tensor w = Tensor::from({2, 2}, {1, -3, 0, 0});
  const Tensor each = quantize::first_steps(w, {.bits = 4});
  CHECK(each.values()[0] == doctest::Approx(4 / std::sqrt(7.0)));
  CHECK(each.values()[1] == each.values()[0]);
  const Tensor one = quantize::first_steps(w, {.bits = 2, .per_channel = false});
  CHECK(one.elements() == 1);
  CHECK(one.values()[0] == 2);
}

TEST_CASE("ternary: 0.7 mean|w| is the threshold, the mean above it the scale") {
  // Channel means 2 and 1: thresholds 1.4 and 0.7.
  const Tensor w = Tensor::from({2, 4}, {4, -2, 1.25f, -0.75f, 0.5f, -0.5f, 2, -1});
  const WeightRule rule{.levels = WeightLevels::kTernary};
  const auto scales = quantize::scales_of(w, rule, {}, {kNoBias, 1});
  CHECK(scales == std::vector<float>{3, 1.5f});
  CHECK(quantize::levels_of(w, rule, scales) == std::vector<std::int8_t>{1, -1, 0, 0, 0, 0, 1, -1});
  const Variable weight(w, true);
  backward(ops::sum(quantize::on_levels(weight, rule, scales, {})));
  CHECK(gradient_of(weight) == std::vector<float>(8, 1.0f));

  // One threshold, 0.7 * 1.5 = 1.05, and one scale, (4 + 2 + 1.25 + 2) / 4.
  const WeightRule whole{.levels = WeightLevels::kTernary, .per_channel = false};
  const auto one = quantize::scales_of(w, whole, {}, {kNoBias, 1});
  CHECK(one == std::vector<float>{2.3125f, 2.3125f});
  CHECK(quantize::levels_of(w, whole, one) == std::vector<std::int8_t>{1, -1, 1, 0, 0, 0, 1, 0});
}

TEST_CASE("binary: the sign and mean|w|, with XNOR-Net's gradient") {
  const Tensor w = Tensor::from({2, 4}, {4, -2, 1.25f, -0.75f, 0.5f, -0.5f, 2, -1});
  const WeightRule rule{.levels = WeightLevels::kBinary};
  const auto scales = quantize::scales_of(w, rule, {}, {kNoBias, 1});
  CHECK(scales == std::vector<float>{2, 1});
  CHECK(quantize::levels_of(w, rule, scales) ==
        std::vector<std::int8_t>{1, -1, 1, -1, 1, -1, 1, -1});
  const Variable weight(w, true);
  backward(ops::sum(quantize::on_levels(weight, rule, scales, {})));
  CHECK(gradient_of(weight) ==
        std::vector<float>{0.25f, 0.25f, 0.25f, 2.25f, 1.25f, 1.25f, 0.25f, 1.25f});
}

TEST_CASE("scales grow where a bias or the sums would not fit") {
  const Tensor w = Tensor::from({2, 1}, {1e-6f, 1}), bias = Tensor::from({2}, {100, 0});
  for (const WeightRule rule :
       {WeightRule{.levels = WeightLevels::kTernary}, WeightRule{.levels = WeightLevels::kBinary},
        WeightRule{.learned_step = true}}) {
    const auto scales = quantize::scales_of(w, rule, Tensor::from({2}, {1e-6f, 1}), {bias, 1});
    CHECK(100 / scales[0] < (1 << 20));
    CHECK(scales[1] == 1);
  }
  const Tensor wide = Tensor::full({1, 4000}, 100);
  const auto steps = quantize::scales_of(wide, {.learned_step = true}, Tensor::from({1}, {0.5f}),
                                         {Tensor::from({1}, {0}), 1});
  const auto levels = quantize::levels_of(wide, {.learned_step = true}, steps);
  CHECK(127.0 * 4000 * levels[0] < (1 << 24));
  CHECK_THROWS_AS(
      quantize::scales_of(Tensor::full({1, 200'000}, 1), {.levels = WeightLevels::kTernary}, {},
                          {Tensor::from({1}, {0}), 1}),
      Error);
}
