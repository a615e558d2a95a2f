#include "layers/depthwise_conv2d.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/kernels/depthwise_conv2d.hpp"
#include "layers/copy_parameters.hpp"
#include "layers/kind.hpp"
#include "layers/model_json.hpp"
#include "layers/summary.hpp"

using namespace espalier;
namespace {

Tensor noise(Shape shape) {
  Rng rng(1, "data");
  Tensor t(shape);
  for (float& v : t.mutable_values()) v = rng.normal();
  return t;
}

}  // namespace

TEST_CASE("DepthwiseConv2d convolves each channel and adds its bias") {
  Rng rng(1, "init");
  DepthwiseConv2d layer({.channels = 3, .kernel = {3, 2}, .stride = 2, .padding = Padding::same()},
                        rng);
  CHECK(is_linear(layer));
  CHECK(layer.describe() == "DepthwiseConv2d(3, kernel 3x2, stride 2, padding same)");
  CHECK(layer.weight().latent().shape() == Shape{3, 3, 2, 1});
  CHECK(layer.output_shape({7, 5, 3}) == Shape{4, 3, 3});
  CHECK(layer.macs({7, 5, 3}) == 4 * 3 * 3 * 6);
  layer.visit({.parameter = [](const std::string& name, Parameter& p) {
    if (name == "bias")
      std::ranges::copy(std::vector<float>{1, 2, 3},
                        p.latent().mutable_value().mutable_values().begin());
  }});
  const Tensor x = noise({2, 7, 5, 3}), y = layer(Variable(x)).value();
  const Tensor sums = kernels::reference::depthwise_conv2d(x, layer.weight().latent().value(),
                                                           layer.window(x.shape()));
  REQUIRE(y.shape() == Shape{2, 4, 3, 3});
  for (std::size_t i = 0; i < y.values().size(); ++i)
    CHECK(y.values()[i] ==
          doctest::Approx(sums.values()[i] + static_cast<float>(i % 3 + 1)).epsilon(1e-5));
}

TEST_CASE("a depthwise kernel's fan_in is its own size, whatever the channels") {
  Rng rng(1, "init");
  const DepthwiseConv2d layer({.channels = 4000, .kernel = 3}, rng);
  double squares = 0;
  for (const float w : layer.weight().latent().value().values()) squares += w * w;
  CHECK(squares / 36000 == doctest::Approx(2.0 / 9).epsilon(0.03));
}

TEST_CASE("DepthwiseConv2d keeps channels, in the order given") {
  Rng rng(1, "init");
  DepthwiseConv2d whole({.channels = 4, .kernel = 3}, rng);
  const Tensor x = noise({1, 5, 5, 4}), y = whole(Variable(x)).value();
  whole.keep(std::vector<std::int64_t>{3, 1});
  Tensor some({1, 5, 5, 2});
  for (std::size_t i = 0; i < 25; ++i)
    some.mutable_values()[2 * i] = x.values()[4 * i + 3],
                              some.mutable_values()[2 * i + 1] = x.values()[4 * i + 1];
  const Tensor z = whole(Variable(some)).value();
  CHECK(whole.describe() == "DepthwiseConv2d(2, kernel 3, stride 1, padding valid)");
  for (std::size_t i = 0; i < 9; ++i) {
    CHECK(z.values()[2 * i] == doctest::Approx(y.values()[4 * i + 3]));
    CHECK(z.values()[2 * i + 1] == doctest::Approx(y.values()[4 * i + 1]));
  }
  CHECK_THROWS_AS(whole.keep(std::vector<std::int64_t>{2}), Error);
  CHECK_THROWS_AS(whole.keep(std::vector<std::int64_t>{}), Error);
}

TEST_CASE("DepthwiseConv2d: bad options and inputs are refused") {
  Rng rng(1, "init");
  CHECK_THROWS_AS(DepthwiseConv2d({.channels = 0, .kernel = 3}, rng), Error);
  CHECK_THROWS_AS(DepthwiseConv2d({.channels = 2, .kernel = 0}, rng), Error);
  CHECK_THROWS_AS(DepthwiseConv2d({.channels = 2, .kernel = 3, .padding = 3}, rng), Error);
  const DepthwiseConv2d layer({.channels = 2, .kernel = 3}, rng);
  CHECK_THROWS_AS(layer.output_shape({8, 8, 3}), Error);
  CHECK_THROWS_AS(layer.output_shape({2, 2, 2}), Error);
  CHECK_THROWS_AS(layer.output_shape({128}), Error);
}

TEST_CASE("model.json builds depthwise layers, and is written again as it was") {
  ModelJson a = parse_model_json(R"({"input": [8, 7, 2], "layers": [
    {"type": "Conv2d", "filters": 5, "kernel_size": 3, "activation": "relu"},
    {"type": "DepthwiseConv2d", "kernel_size": 3, "padding": "same", "activation": "relu"},
    {"type": "DepthwiseConv2d", "name": "last", "kernel_size": [2, 3], "strides": [1, 2],
     "padding": [1, 0, 0, 2], "init": "glorot_uniform"}]})",
                                 "a.json");
  CHECK(a.model.describe() ==
        "conv2d_1: Conv2d(2 -> 5, kernel 3, stride 1, padding valid)\nconv2d_1_relu: Relu()\n"
        "depthwise_conv2d_1: DepthwiseConv2d(5, kernel 3, stride 1, padding same)\n"
        "depthwise_conv2d_1_relu: Relu()\n"
        "last: DepthwiseConv2d(5, kernel 2x3, stride 1x2, padding 1/0/0/2)\n");
  const std::string text = format_model_json(a.model, a.input);
  CHECK(text.find(R"({"type": "DepthwiseConv2d", "name": "depthwise_conv2d_1", "kernel_size": 3, )"
                  R"("padding": "same", "activation": "relu"})") != std::string::npos);
  ModelJson b = parse_model_json(text, "b.json", {.seed = 9});
  CHECK(format_model_json(b.model, b.input) == text);
  CHECK(summary(b.model, b.input) == summary(a.model, a.input));
  copy_parameters(a.model, b.model);
  const Tensor x = noise({2, 8, 7, 2});
  CHECK(std::ranges::equal(a.model(Variable(x)).value().values(),
                           b.model(Variable(x)).value().values()));
  const ParameterCount count = count_parameters(a.model);
  CHECK(count.trainable == 5 * 19 + 50 + 35);
  CHECK(a.model.macs(a.input) == 6 * 5 * 5 * 18 + 6 * 5 * 5 * 9 + 6 * 3 * 5 * 6);
  CHECK(summary(a.model, a.input).find("depthwise_conv2d_1 (DepthwiseConv2d)") !=
        std::string::npos);
}
