#include "optim/training/evaluate.hpp"

#include <doctest/doctest.h>

#include "core/kernels/precision.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/tutorial_models.hpp"

using namespace espalier;

TEST_CASE("evaluation is in float32, whatever the precision of training") {
  const auto data = datasets::synthetic_digits({.train = 10, .test = 64});
  Sequential model = small_model(1);
  const auto want = training::evaluate(model, *data.test, 32);
  if (!kernels::has_bf16()) return;
  const kernels::PrecisionInScope scope(kernels::Precision::kBf16);
  CHECK(training::evaluate(model, *data.test, 32).loss == want.loss);
}
