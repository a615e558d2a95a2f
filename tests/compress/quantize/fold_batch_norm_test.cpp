#include "compress/quantize/fold_batch_norm.hpp"

#include <doctest/doctest.h>

#include "datasets/synthetic_digits.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "optim/training/fit.hpp"

using namespace espalier;

TEST_CASE("folding leaves the function, takes the layer out and freezes the others") {
  const auto data = datasets::synthetic_digits({.train = 200, .test = 20});
  Rng rng(3, "init");
  Sequential model;
  model.add("conv", Conv2d({.in = 1, .out = 4, .kernel = 3}, rng))
      .add("norm1", BatchNorm({.channels = 4, .momentum = 0.5f}))
      .add("relu", Relu())
      .add("pool", MaxPool2d())
      .add("norm2", BatchNorm({.channels = 4, .momentum = 0.5f}))
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 676, .out = 10}, rng))
      .add("norm3", BatchNorm({.channels = 10, .momentum = 0.5f}));
  training::fit(model, *data.train, {.epochs = 1, .quiet = true});  // moves every statistic
  const NoGradient guard;
  std::vector<std::int64_t> indices(20);
  for (std::size_t i = 0; i < 20; ++i) indices[i] = static_cast<std::int64_t>(i);
  const Variable x(datasets::collate(*data.test, indices).images);
  const Tensor before = model(x).value();

  quantize::fold_batch_norm(model);
  REQUIRE(model.layers().size() == 6);
  CHECK(model.layers()[1].name == "relu");
  CHECK(model.layers()[3].name == "norm2");
  const Tensor after = model(x).value();
  for (std::size_t i = 0; i < before.values().size(); ++i)
    CHECK(after.values()[i] == doctest::Approx(before.values()[i]).epsilon(1e-3));

  // Frozen: training computes what evaluation does, and moves nothing.
  const Tensor training = model(x, {.training = true}).value();
  for (std::size_t i = 0; i < after.values().size(); ++i)
    CHECK(training.values()[i] == after.values()[i]);
  const Tensor again = model(x).value();
  for (std::size_t i = 0; i < after.values().size(); ++i)
    CHECK(again.values()[i] == after.values()[i]);
}
