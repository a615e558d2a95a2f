#include <doctest/doctest.h>

#include <cmath>

#include "compress/prune/mask.hpp"
#include "compress/prune/sparsity_schedule.hpp"
#include "core/base/rng.hpp"

using namespace espalier;
using namespace espalier::prune;

TEST_CASE("polynomial decay follows Zhu & Gupta's equation 1 and ends exactly") {
  const auto s = polynomial_sparsity({.initial = 0.5f, .final = 0.8f, .begin = 0.2f, .end = 0.6f});
  CHECK(s(0.1f) == 0.0f);
  CHECK(s(0.2f) == doctest::Approx(0.5));
  CHECK(s(0.4f) == doctest::Approx(0.8 - 0.3 * 0.125));
  CHECK(s(0.6f) == 0.8f);
  CHECK(s(1.0f) == 0.8f);
  CHECK_THROWS_AS(polynomial_sparsity({.initial = 0.9f, .final = 0.8f}), Error);
  CHECK_THROWS_AS(polynomial_sparsity({.final = 1.0f}), Error);
  CHECK_THROWS_AS(polynomial_sparsity({.begin = 0.5f, .end = 0.5f}), Error);
  CHECK_THROWS_AS(polynomial_sparsity({.final = std::nanf("")}), Error);
}

TEST_CASE("constant sparsity") {
  const auto s = constant_sparsity(0.7f, 0.25f);
  CHECK(s(0.0f) == 0.0f);
  CHECK(s(0.25f) == 0.7f);
  CHECK_THROWS_AS(constant_sparsity(1.0f), Error);
}

TEST_CASE("the magnitude mask removes exactly the smallest, ties included") {
  const Tensor mask = magnitude_mask(Tensor::from({2, 3}, {3, -1, 2, -5, 0.5f, 4}), 0.5f);
  const float wanted[] = {1, 0, 0, 1, 0, 1};
  for (std::size_t i = 0; i < 6; ++i) CHECK(mask.values()[i] == wanted[i]);
  CHECK(sparsity_of(magnitude_mask(Tensor::full({1000}, 1), 0.9f)) == doctest::Approx(0.9));
  CHECK_THROWS_AS(magnitude_mask(Tensor::from({2}, {1, std::nanf("")}), 0.5f), Error);

  Tensor w({784, 10});
  Rng rng(1, "init");
  for (float& v : w.mutable_values()) v = rng.normal();
  CHECK(sparsity_of(magnitude_mask(w, 0.9f)) == 7056.0 / 7840.0);
}

TEST_CASE("the nonzero mask keeps what pruning left") {
  const Tensor mask = nonzero_mask(Tensor::from({4}, {0, -2, -0.0f, 1e-30f}));
  CHECK(sparsity_of(mask) == 0.5);
}
