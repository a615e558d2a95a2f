// Layers that read others than the one before them, and sums.
#include "layers/residual.hpp"

#include <doctest/doctest.h>

#include "layers/conv2d.hpp"
#include "layers/dense.hpp"
#include "layers/flatten.hpp"
#include "layers/model_json.hpp"
#include "layers/relu.hpp"
#include "layers/summary.hpp"

using namespace espalier;

namespace {

// relu(x) * w1 + (relu(x) * w2), with w of 1x1 kernels: all in numbers.
Sequential branches(float w1, float w2) {
  Rng rng(1, "init");
  const Conv2d::Options one{.in = 1, .out = 1, .kernel = 1};
  Sequential model;
  model.add("relu", Relu())
      .add("conv1", Conv2d(one, rng))
      .add("conv2", Conv2d(one, rng), {.from = "relu"})
      .add("sum", Residual(), {.with = "conv1"});
  model.visit({.parameter = [&](const std::string& name, Parameter& p) {
    p.latent().mutable_value().fill(name == "conv1.weight"   ? w1
                                    : name == "conv2.weight" ? w2
                                                             : 0.0f);
  }});
  return model;
}

Tensor numbers(std::vector<float> values) {
  return Tensor::from<float>({1, 1, static_cast<std::int64_t>(values.size()), 1}, values);
}

}  // namespace

TEST_CASE("a layer reads the one it names; residual adds; gradients of both branches add up") {
  Sequential model = branches(2, 5);
  const Variable x(numbers({3, -4, 1}), true);
  const Variable y = model(x);
  CHECK(std::ranges::equal(y.value().values(), std::vector{21.0f, 0.0f, 7.0f}));
  backward(ops::sum(y));
  CHECK(std::ranges::equal(x.gradient().values(), std::vector{7.0f, 0.0f, 7.0f}));
  CHECK(model.describe() ==
        "relu: Relu()\nconv1: Conv2d(1 -> 1, kernel 1, stride 1, padding valid)\n"
        "conv2: Conv2d(1 -> 1, kernel 1, stride 1, padding valid) from relu\n"
        "sum: Residual() with conv1\n");
  CHECK(model.macs({1, 3, 1}) == 6);
  CHECK(summary(model, {1, 3, 1}).find("sum (Residual with conv1)") != std::string::npos);
  CHECK(model.readers(1) == std::vector<std::size_t>{1, 2});
  CHECK(model.readers(2) == std::vector<std::size_t>{3});
  CHECK_FALSE(model.feeds_next_alone(0));
  CHECK_FALSE(model.feeds_next_alone(1));  // conv2 reads relu
  CHECK_FALSE(model.feeds_next_alone(2));  // sum adds more
  CHECK_FALSE(model.feeds_next_alone(3));  // the last
}

TEST_CASE("a layer that goes leaves its reader with what it read") {
  Sequential model = branches(2, 5);
  model.remove("conv1");  // relu(x) + 5 relu(x)
  CHECK(std::ranges::equal(model(Variable(numbers({3, -4}))).value().values(),
                           std::vector{18.0f, 0.0f}));
  model.remove("relu");  // x + 5x
  CHECK(std::ranges::equal(model(Variable(numbers({3, -4}))).value().values(),
                           std::vector{18.0f, -24.0f}));
}

TEST_CASE("wires to nowhere, sums of one, and sums of different shapes are refused") {
  Rng rng(1, "init");
  Sequential model;
  model.add("relu", Relu());
  CHECK_THROWS_WITH_AS(model.add("a", Relu(), {.from = "rely"}),
                       doctest::Contains("did you mean \"relu\"?"), Error);
  CHECK_THROWS_WITH_AS(model.add("a", Residual()), doctest::Contains("second summand"), Error);
  CHECK_THROWS_WITH_AS(model.add("a", Relu(), {.with = "relu"}),
                       doctest::Contains("takes no second summand"), Error);
  model.add("conv", Conv2d({.in = 2, .out = 3, .kernel = 1}, rng))
      .add("sum", Residual(), {.with = "relu"});
  CHECK_THROWS_WITH_AS(model.output_shape({4, 4, 2}), doctest::Contains("[4x4x3] and [4x4x2]"),
                       Error);
  CHECK_THROWS_WITH_AS(Residual()(Variable(numbers({1}))), doctest::Contains("second summand"),
                       Error);
}

TEST_CASE("model.json: branches are read, written and read again; a name means its activation") {
  const auto built = parse_model_json(R"({"input": [8, 8, 2], "layers": [
      {"type": "Conv2d", "name": "a", "filters": 4, "kernel_size": 3, "padding": "same",
       "activation": "relu"},
      {"type": "Conv2d", "name": "b", "filters": 4, "kernel_size": 3, "padding": "same"},
      {"type": "Residual", "name": "sum", "with": "a", "activation": "relu"},
      {"type": "Conv2d", "name": "c", "filters": 6, "kernel_size": 1, "strides": 2},
      {"type": "Conv2d", "name": "d", "from": "sum", "filters": 6, "kernel_size": 3, "strides": 2,
       "padding": "same"},
      {"type": "Residual", "with": "c"}, {"type": "Flatten"}, {"type": "Dense", "units": 3}]})",
                                      "m.json");
  CHECK(built.model.describe() ==
        "a: Conv2d(2 -> 4, kernel 3, stride 1, padding same)\na_relu: Relu()\n"
        "b: Conv2d(4 -> 4, kernel 3, stride 1, padding same)\nsum: Residual() with a_relu\n"
        "sum_relu: Relu()\nc: Conv2d(4 -> 6, kernel 1, stride 2, padding valid)\n"
        "d: Conv2d(4 -> 6, kernel 3, stride 2, padding same) from sum_relu\n"
        "residual_1: Residual() with c\nflatten_1: Flatten()\ndense_1: Dense(96 -> 3)\n");
  const std::string text = format_model_json(built.model, built.input);
  const auto again = parse_model_json(text, "again.json");
  CHECK(again.model.describe() == built.model.describe());
  CHECK(format_model_json(again.model, again.input) == text);
  CHECK(text.find(R"("with": "a_relu")") != std::string::npos);
}

TEST_CASE("model.json: a relu whose input others read stays a layer of its own") {
  Rng rng(1, "init");
  Sequential model;
  model.add("a", Conv2d({.in = 1, .out = 1, .kernel = 1}, rng))
      .add("a_relu", Relu())
      .add("sum", Residual(), {.with = "a"});
  const std::string text = format_model_json(model, {4, 4, 1});
  CHECK(parse_model_json(text, "m.json").model.describe() == model.describe());
}
