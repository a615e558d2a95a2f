#include "core/kernels/ordered_product.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "core/base/error.hpp"
#include "core/base/rng.hpp"

using namespace espalier;
using kernels::OrderedProduct;

TEST_CASE("the sums are those of a plain loop in float64, zeros left out or not") {
  Rng rng(1, "ordered");
  for (const std::size_t outputs : {1u, 3u, 8u, 17u})
    for (const std::size_t inputs : {1u, 9u, 300u}) {
      std::vector<float> w(outputs * inputs), b(outputs), x(inputs), y(outputs);
      for (float& v : w) v = rng.normal() * std::exp(8 * rng.normal());
      for (float& v : b) v = rng.normal();
      for (float& v : x) v = rng.below(3) ? rng.normal() * std::exp(8 * rng.normal()) : 0.0f;
      for (const bool biased : {true, false}) {
        OrderedProduct product(w, biased ? std::span<const float>(b) : std::span<const float>(),
                               outputs);
        CHECK(product.inputs() == inputs);
        product.run(x, y);
        for (std::size_t o = 0; o < outputs; ++o) {
          double sum = 0;
          for (std::size_t i = 0; i < inputs; ++i)
            sum += static_cast<double>(x[i]) * static_cast<double>(w[o * inputs + i]);
          if (biased) sum += static_cast<double>(b[o]);
          CHECK(y[o] == static_cast<float>(sum));
        }
      }
    }
}

TEST_CASE("what float32 would lose stays: 1 beside 2^30") {
  const std::vector<float> w = {0x1p30f, 1, -0x1p30f}, x = {1, 1, 1};
  std::vector<float> y(1);
  OrderedProduct(w, {}, 1).run(x, y);
  CHECK(y[0] == 1);
}

TEST_CASE("weights that are no rows are refused") {
  const std::vector<float> w(6), b(2);
  CHECK_THROWS_AS(OrderedProduct(w, {}, 4), Error);
  CHECK_THROWS_AS(OrderedProduct(w, b, 3), Error);
  CHECK_THROWS_AS(OrderedProduct(w, {}, 0), Error);
}
