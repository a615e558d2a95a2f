#include <doctest/doctest.h>

#include <cmath>

#include "compress/quantize/observer.hpp"
#include "compress/quantize/quantization_aware.hpp"
#include "core/ops/ops.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/dropout.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"

using namespace espalier;
using namespace espalier::quantize;

TEST_CASE("min-max keeps the extremes of everything seen") {
  RangeObserver observer(ObserverKind::kMinMax);
  CHECK_THROWS_AS(observer.grid(), Error);
  observer.observe(Tensor::from({2}, {0, 4}));
  observer.observe(Tensor::from({2}, {-1, 2}));
  CHECK(observer.grid().scale == doctest::Approx(5.0 / 127));
  CHECK_THROWS_AS(observer.observe(Tensor::from({1}, {std::nanf("")})), Error);
}

TEST_CASE("a learned range begins at 2 mean|v| / sqrt(q), on unsigned levels") {
  for (const int bits : {2, 4, 7}) {
    RangeObserver observer(ObserverKind::kMovingAverage, 0.999f, bits);
    observer.learn();
    CHECK_FALSE(observer.seen());
    CHECK_THROWS_AS(observer.grid(), Error);
    observer.observe(Tensor::from({4}, {0, 4, 1, 3}));
    const int q = (1 << bits) - 1;
    CHECK(observer.grid().scale == doctest::Approx(4 / std::sqrt(double(q))));
    CHECK(observer.grid().zero_point == 127 - q);
    observer.step().mutable_value().fill(0.5f);  // as training moves it
    CHECK(observer.grid().scale == 0.5f);
    CHECK(&observer.state() == &observer.step().mutable_value());  // what a checkpoint keeps
    CHECK_THROWS_AS(observer.observe(Tensor::from({1}, {std::nanf("")})), Error);
  }
  RangeObserver zeros(ObserverKind::kMovingAverage);
  zeros.learn();
  zeros.observe(Tensor({3}));
  CHECK(zeros.grid().scale == 1);
}

TEST_CASE("the moving average is corrected for its start at 0, then follows slowly") {
  RangeObserver observer(ObserverKind::kMovingAverage, 0.9f);
  observer.observe(Tensor::from({2}, {0, 2}));
  CHECK(observer.grid().scale == doctest::Approx(2.0 / 127));  // not 0.2 / 127
  observer.observe(Tensor::from({2}, {0, 4}));
  CHECK(observer.grid().scale == doctest::Approx((0.9 * 0.1 * 2 + 0.1 * 4) / (1 - 0.81) / 127));
}

namespace {

Sequential model_with_relu() {
  Rng rng(4, "init");
  Sequential model;
  model.add("flatten", Flatten())
      .add("dense1", Dense({.in = 784, .out = 16}, rng))
      .add("relu", Relu())
      .add("dense2", Dense({.in = 16, .out = 10}, rng));
  return model;
}

// One training step's forward pass at the given progress, on images of one brightness.
void forward(Sequential& model, QuantizationAware& pass, std::int64_t step, float brightness) {
  pass.step({.step = step, .total_steps = 5});
  model(Variable(Tensor::full({2, 28, 28, 1}, brightness)), {.training = true});
}

float output_scale(QuantizationAware& pass) {
  pass.bake();
  return pass.network().layers[1].output->scale;
}

}  // namespace

TEST_CASE("training moves a range until it is frozen; evaluation never does") {
  const auto scale_after = [](auto more) {
    Sequential model = model_with_relu();
    QuantizationAware pass({.freeze_at = 0.75f});
    pass.attach(model);
    forward(model, pass, 0, 0.5f);
    more(model, pass);
    return output_scale(pass);
  };
  const float once = scale_after([](auto&, auto&) {});
  const float moved = scale_after([](auto& m, auto& p) { forward(m, p, 1, 1.0f); });
  const float frozen = scale_after([](auto& m, auto& p) { forward(m, p, 3, 1.0f); });
  const float evaluated = scale_after([](auto& m, auto&) {
    const NoGradient guard;
    m(Variable(Tensor::full({2, 28, 28, 1}, 1.0f)));
  });
  CHECK(moved > once);
  CHECK(frozen == once);
  CHECK(evaluated == once);
}

TEST_CASE("a model without weights is refused, and so are wrong options and an unfinished pass") {
  QuantizationAware pass({});
  CHECK_THROWS_AS(pass.network(), Error);
  CHECK_THROWS_AS(pass.bake(), Error);
  CHECK_THROWS_AS(QuantizationAware({.weight_bits = 1}), Error);
  CHECK_THROWS_AS(QuantizationAware({.layer_bits = {{"dense1", 9}}}), Error);
  QuantizationAware misnamed({.layer_bits = {{"relu", 4}}});
  Sequential named = model_with_relu();
  CHECK_THROWS_WITH_AS(misnamed.attach(named),
                       "QuantizationAware: relu, which shall have 4 bits, is no convolution or "
                       "dense layer of the model",
                       Error);
  CHECK_THROWS_AS(QuantizationAware({.freeze_at = 0}), Error);
  Rng rng(1, "init");
  Sequential no_weights;
  no_weights.add("flatten", Flatten()).add("relu", Relu());
  CHECK_THROWS_WITH_AS(require_quantizable(no_weights), doctest::Contains("no convolution"), Error);
  CHECK_THROWS_WITH_AS(pass.attach(no_weights), doctest::Contains("no convolution"), Error);
  Sequential fine;
  fine.add("flatten", Flatten())
      .add("dense", Dense({.in = 784, .out = 10}, rng))
      .add("norm", BatchNorm({.channels = 10}))
      .add("relu", Relu())
      .add("dropout", Dropout(0.1f));
  require_quantizable(fine);
}
