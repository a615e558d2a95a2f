// Behind relu and max pool the range is looked at, and rounded to, after the pool: a short cut, which
// must not be seen in what comes out. The other way is taken where somebody listens in between.
#include <doctest/doctest.h>

#include <algorithm>

#include "compress/quantize/quantization_aware.hpp"
#include "datasets/synthetic_digits.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/pool2d.hpp"
#include "layers/relu.hpp"
#include "layers/residual.hpp"
#include "tests/compress/runtime/answers.hpp"

using namespace espalier;
using namespace espalier::quantize;
namespace {

constexpr std::size_t kRelu = 1, kPool = 2;  // places in the network

Sequential network(const Pool2dOptions& pool, bool listens) {
  Rng rng(6, "init");
  Sequential model;
  model.add("conv", Conv2d({.in = 1, .out = 4, .kernel = 3}, rng))
      .add("relu", Relu())
      .add("pool", MaxPool2d(pool))
      .add("flatten", Flatten());
  const Shape flat = model.output_shape({28, 28, 1});
  model.add("dense", Dense({.in = flat[0], .out = 10}, rng));
  if (listens)
    model.layers()[kPool].layer->set_input_tap([](const Variable& relu) { return relu; });
  return model;
}

const datasets::TrainTest& digits() {
  static const datasets::TrainTest data = datasets::synthetic_digits({.train = 120, .test = 20});
  return data;
}

// Calibration for the range of all, a few steps of training for the one that moves.
void see(Sequential& model, QuantizationAware& pass, ObserverKind kind) {
  if (kind == ObserverKind::kMinMax) return pass.calibrate(*digits().train, 120);
  std::int64_t step = 0;
  datasets::for_each_batch(*digits().train, 120, 40, [&](const datasets::Batch& batch) {
    pass.step({.step = step++, .total_steps = 100});
    model(Variable(batch.images), {.training = true});
  });
}

struct Outcome {
  IntegerLayer conv, dense;
  Tensor logits, integer_logits;
};

Outcome outcome(const Pool2dOptions& pool, bool listens, ObserverKind kind) {
  Sequential model = network(pool, listens);
  QuantizationAware pass({.observer = kind});
  pass.attach(model);
  CHECK(model.layers()[kRelu].layer->taps_output() == listens);  // the two ways
  CHECK(model.layers()[kPool].layer->taps_output() != listens);
  see(model, pass, kind);
  pass.bake();
  const NoGradient guard;
  const Tensor x = tests::images(*digits().test);
  const auto& layers = pass.network().layers;
  return {layers.front(), layers.back(), model(Variable(x)).value(), evaluate(pass.network(), x)};
}

constexpr ObserverKind kKinds[] = {ObserverKind::kMinMax, ObserverKind::kMovingAverage};

}  // namespace

TEST_CASE("rounding after the max pool gives the range, levels and logits of rounding before it") {
  const Pool2dOptions pools[] = {
      {},                                          // 26 -> 13
      {.kernel = 3, .stride = 1},                  // windows that overlap
      {.kernel = 3, .padding = Padding::same()},   // 26 -> 9, padded
      {.kernel = 5, .stride = 3, .padding = {2}},  // likewise, by hand
      {.kernel = {2, 13}},                         // of sides that differ
  };
  for (const ObserverKind kind : kKinds)
    for (const auto& pool : pools) {
      CAPTURE(MaxPool2d(pool).describe());
      CAPTURE(static_cast<int>(kind));
      const Outcome short_cut = outcome(pool, false, kind), whole = outcome(pool, true, kind);
      CHECK(short_cut.conv.output->scale == whole.conv.output->scale);
      CHECK(short_cut.conv.output->zero_point == whole.conv.output->zero_point);
      CHECK(short_cut.conv.levels == whole.conv.levels);
      CHECK(short_cut.conv.bias_levels == whole.conv.bias_levels);
      CHECK(short_cut.dense.levels == whole.dense.levels);
      CHECK(short_cut.dense.bias_levels == whole.dense.bias_levels);
      CHECK(tests::same_bits(short_cut.logits, whole.logits));
      CHECK(tests::same_bits(short_cut.integer_logits, whole.integer_logits));
      CHECK(std::ranges::count(whole.logits.values(), 0.0f) == 0);
    }
}

TEST_CASE("activations that no window of the pool holds do not widen the range") {
  const Pool2dOptions pools[] = {{.kernel = 2, .stride = 5},  // columns between the windows
                                 {.kernel = 9}};              // 26 -> 2: eight are left over
  for (const auto& pool : pools) {
    CAPTURE(MaxPool2d(pool).describe());
    Sequential model = network(pool, false);
    float largest = 0, pooled = 0;  // of all that the relu yields, and of what is read
    {
      const NoGradient guard;
      model.walk(Variable(tests::images(*digits().train)), {},
                 [&](std::size_t layer, const Variable& y) {
                   const float here = std::ranges::max(y.value().values());
                   if (layer == kRelu) largest = here;
                   if (layer == kPool) pooled = here;
                 });
    }
    const Outcome short_cut = outcome(pool, false, ObserverKind::kMinMax),
                  whole = outcome(pool, true, ObserverKind::kMinMax);
    CHECK(pooled <= largest);
    CHECK(short_cut.conv.output->scale == activation_grid(0, pooled).scale);
    CHECK(whole.conv.output->scale == activation_grid(0, largest).scale);
    // What is baked is what was trained.
    for (const Outcome& one : {short_cut, whole})
      for (std::size_t i = 0; i < one.logits.values().size(); ++i)
        CHECK(one.integer_logits.values()[i] ==
              doctest::Approx(one.logits.values()[i]).epsilon(0.02).scale(1));
  }
}

TEST_CASE("observers that count, learned steps and a relu that others read keep the range there") {
  const auto tapped = [](Sequential& model, const QuantizationAware::Options& options) {
    QuantizationAware pass(options);
    pass.attach(model);
    CHECK(model.layers()[kRelu].layer->taps_output() != model.layers()[kPool].layer->taps_output());
    return model.layers()[kRelu].layer->taps_output() ? kRelu : kPool;
  };
  for (const ObserverKind kind :
       {ObserverKind::kPercentile, ObserverKind::kSquaredError, ObserverKind::kEntropy}) {
    Sequential model = network({}, false);
    CHECK(tapped(model, {.observer = kind}) == kRelu);
  }
  Sequential learned = network({}, false);
  CHECK(tapped(learned, {.learned_activation_step = true}) == kRelu);

  Rng rng(6, "init");
  Sequential shared;  // two pools of one relu
  shared.add("conv", Conv2d({.in = 1, .out = 4, .kernel = 3}, rng))
      .add("relu", Relu())
      .add("pool", MaxPool2d())
      .add("other", MaxPool2d(), {.from = "relu"})
      .add("sum", Residual(), {.with = "pool"})
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 13 * 13 * 4, .out = 10}, rng));
  CHECK(tapped(shared, {}) == kRelu);

  Sequential pool_is_read;  // by two: the short cut remains
  pool_is_read.add("conv", Conv2d({.in = 1, .out = 4, .kernel = 3}, rng))
      .add("relu", Relu())
      .add("pool", MaxPool2d())
      .add("wide", Conv2d({.in = 4, .out = 4, .kernel = 3, .padding = Padding::same()}, rng))
      .add("sum", Residual(), {.with = "pool"})
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 13 * 13 * 4, .out = 10}, rng));
  CHECK(tapped(pool_is_read, {}) == kPool);
}
