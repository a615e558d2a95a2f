// Two models whose difference is known.
#include "apps/verify/verification.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "compress/pack/pack.hpp"
#include "compress/quantize/fold_batch_norm.hpp"
#include "layers/batch_norm.hpp"
#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/relu.hpp"
#include "optim/training/fit.hpp"
#include "tests/apps/digit_models.hpp"

using namespace espalier;
namespace {

datasets::TrainTest digits() {
  return datasets::synthetic_digits({.train = 200, .test = 230});
}

apps::Verification verified(format::PackedModel a, format::PackedModel b,
                            std::int64_t noise_images = 50) {
  return apps::verify(runtime::Model(std::move(a)), runtime::Model(std::move(b)), *digits().test,
                      noise_images);
}

}  // namespace

TEST_CASE(
    "logits that are a hundredth larger: 40 dB, the same answers, a hundredth of the largest") {
  const auto b = tests::nearest_mean();
  auto a = b;
  for (float& v : a.layers[1].weight.values) v *= 1.01f;
  for (float& v : a.layers[1].bias) v *= 1.01f;
  const auto found = verified(a, b);
  CHECK(found.images == 230);
  CHECK(found.agree == 230);
  CHECK(found.a_right == found.b_right);
  CHECK(found.a_right > 115);
  CHECK(found.noise_images == 50);
  REQUIRE(found.layers.size() == 1);
  CHECK(found.layers[0].name == "means");
  CHECK(found.layers[0].compared);
  CHECK(found.layers[0].decibels() == doctest::Approx(40).epsilon(1e-3));
  CHECK(found.largest_difference == doctest::Approx(found.largest_logit / 100).epsilon(1e-3));
}

TEST_CASE("one logit moved: where the largest difference is, and who is right") {
  const auto b = tests::nearest_mean();
  auto a = b;
  a.layers[1].bias[3] += 1000;
  const auto found = verified(a, b);
  CHECK(found.a_right == 23);  // every image is a three now
  CHECK(found.largest_difference == doctest::Approx(1000).epsilon(1e-3));
  CHECK(found.label == 3);
  CHECK(found.agree < 230);
  const auto same = verified(b, b);
  CHECK(same.largest_difference == 0);
  CHECK(same.layers[0].noise == 0);
  CHECK(std::isinf(same.layers[0].decibels()));
}

TEST_CASE("layers match through folded batch norm; other shapes are not compared") {
  Rng rng(3, "init");
  Sequential model;
  model.add("conv", Conv2d({.in = 1, .out = 4, .kernel = 3, .stride = 2}, rng))
      .add("norm", BatchNorm({.channels = 4, .momentum = 0.5f}))
      .add("relu", Relu())
      .add("flatten", Flatten())
      .add("dense", Dense({.in = 676, .out = 10}, rng));
  training::fit(model, *digits().train, {.epochs = 1, .quiet = true});
  const auto whole = pack::pack(model, {28, 28, 1});
  quantize::fold_batch_norm(model);
  const auto folded = pack::pack(model, {28, 28, 1});
  REQUIRE(whole.layers.size() == folded.layers.size() + 1);
  const auto found = verified(folded, whole);
  CHECK(found.agree == 230);
  REQUIRE(found.layers.size() == 2);
  for (const auto& layer : found.layers) {
    CHECK(layer.compared);
    CHECK(layer.decibels() > 90);  // float rounding
  }

  const auto fewer = verified(folded, tests::nearest_mean());
  CHECK_FALSE(fewer.layers[0].compared);
  CHECK_FALSE(fewer.layers[1].compared);
  const auto integers = verified(tests::integer_nearest_mean(), whole);
  CHECK_FALSE(integers.layers[0].compared);  // two channels against four
  CHECK(integers.layers[1].compared);        // both end in ten logits
}

TEST_CASE("levels are compared as what they stand for") {
  const auto integers = tests::integer_nearest_mean();
  auto real = integers;
  real.input = {}, real.layers[0].output = {};
  for (auto& layer : {&real.layers[0], &real.layers[2]}) {
    for (const auto level : layer->weight.levels)
      layer->weight.values.push_back(static_cast<float>(level) * layer->weight.scales[0]);
    for (const auto level : layer->bias_levels)
      layer->bias.push_back(static_cast<float>(level << layer->bias_shift) / (127.0f * 127.0f));
    layer->weight.levels.clear(), layer->weight.scales.clear(), layer->bias_levels.clear();
    layer->weight.bits = 32, layer->bias_shift = 0;
  }
  const auto found = verified(integers, real);
  CHECK(found.layers[0].decibels() > 30);  // activations of 7 bits
  CHECK(found.layers[0].decibels() < 60);
  CHECK(found.layers[1].decibels() > 30);
  CHECK(found.agree > 220);
}
