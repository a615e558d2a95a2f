#include "compress/runtime/compare.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/base/error.hpp"

using namespace espalier;
using runtime::differing_logits;

TEST_CASE("integers differ in any bit, floats beyond 1e-4 of their own row's largest") {
  const std::vector<float> wanted = {100, 1, 1, 0.5f};
  CHECK(differing_logits(wanted, wanted, 2, true) == 0);
  const std::vector<float> near = {100, 1.009f, 1, 0.5f};
  CHECK(differing_logits(near, wanted, 2, true) == 1);
  CHECK(differing_logits(near, wanted, 2, false) == 0);
  const std::vector<float> far = {100, 1, 1, 0.509f};  // large in its own row
  CHECK(differing_logits(far, wanted, 2, false) == 1);
  const std::vector<float> nan = {std::nanf(""), 1, 1, 0.5f};
  CHECK(differing_logits(nan, wanted, 2, false) == 1);
  CHECK(differing_logits({{0.0f}}, {{-0.0f}}, 1, true) == 1);
  CHECK_THROWS_AS(differing_logits(near, {{1.0f}}, 2, true), Error);
}
