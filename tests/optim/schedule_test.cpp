#include <doctest/doctest.h>

#include "core/base/error.hpp"
#include "optim/schedule.hpp"

using namespace espalier;

TEST_CASE("learning-rate schedules") {
  CHECK(optim::constant()(0.3f) == 1);
  CHECK(optim::cosine()(0) == 1);
  CHECK(optim::cosine()(0.5f) == doctest::Approx(0.5));
  CHECK(std::abs(optim::cosine()(1)) < 1e-6f);
  CHECK(optim::step()(0.49f) == 1);
  CHECK(optim::step()(0.5f) == 0.1f);
  CHECK(optim::step()(1) == 0.01f);
  const auto s = optim::warm_up(0.2f, optim::cosine());
  CHECK(s(0.1f) == doctest::Approx(0.5));
  CHECK(s(0.2f) == 1);
  CHECK(s(0.6f) == doctest::Approx(0.5));
  CHECK_THROWS_AS(optim::warm_up(1, optim::constant()), Error);
}
