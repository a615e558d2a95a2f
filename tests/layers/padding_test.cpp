// Windows: same, valid and explicit padding; kernels, strides and images that are not square.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/kernels/conv2d.hpp"
#include "core/kernels/pool2d.hpp"
#include "layers/conv2d.hpp"
#include "layers/pool2d.hpp"

using namespace espalier;
namespace {

Tensor noise(Shape shape, Rng& rng) {
  Tensor t(shape);
  for (float& v : t.mutable_values()) v = rng.uniform(-1, 1);
  return t;
}

void check_close(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  for (std::size_t i = 0; i < a.values().size(); ++i)
    CHECK(a.values()[i] == doctest::Approx(b.values()[i]).epsilon(1e-5).scale(1));
}

struct Case {
  Size2d kernel, stride;
  Padding padding;
};
const Case kCases[] = {{3, 1, Padding::valid()},          {5, 1, Padding::same()},
                       {2, 1, Padding::same()},           {3, 2, Padding::same()},
                       {{3, 2}, {2, 3}, Padding::same()}, {{1, 4}, {3, 2}, Padding::same()},
                       {2, 3, Padding::same()},  // gaps between windows
                       {{4, 3}, {1, 2}, Padding(1)},      {3, {2, 1}, Padding::sides(0, 1, 2, 0)}};
const Shape kInputs[] = {{2, 7, 8, 3}, {1, 8, 5, 3}, {3, 6, 6, 3}};

}  // namespace

TEST_CASE("same padding is TensorFlow's: ceil(in / stride), the odd row at the bottom") {
  const auto window = [](Size2d kernel, Size2d stride, const Shape& input) {
    return SlidingWindow{kernel, stride, Padding::same()}.at(input);
  };
  const auto pads = [](const kernels::Window& w) {
    return Shape{w.pad_top, w.pad_bottom, w.pad_left, w.pad_right};
  };
  // tf.nn.conv2d's documentation: pad = max((ceil(in / stride) - 1) stride + kernel - in, 0).
  CHECK(pads(window(5, 1, {28, 28, 1})) == Shape{2, 2, 2, 2});
  CHECK(pads(window(2, 1, {28, 28, 1})) == Shape{0, 1, 0, 1});
  CHECK(pads(window(3, 2, {28, 29, 1})) == Shape{0, 1, 1, 1});  // depends on the input
  CHECK(pads(window({2, 6}, {5, 4}, {1, 13, 13, 1})) == Shape{0, 0, 2, 3});
  for (const std::int64_t in : {1, 2, 7, 28})
    for (const std::int64_t kernel : {1, 2, 3, 5})
      for (const std::int64_t stride : {1, 2, 3, 4}) {
        const auto w = window(kernel, stride, {in, in, 1});
        CHECK(w.out_h(in) == (in + stride - 1) / stride);
        CHECK(w.pad_bottom - w.pad_top == (w.pad_top + w.pad_bottom) % 2);
      }
}

TEST_CASE("convolution and pooling with every padding match the reference and their own shape") {
  Rng rng(1, "data");
  for (const Case& c : kCases)
    for (const Shape& shape : kInputs) {
      const Tensor x = noise(shape, rng);
      const Shape example{shape[1], shape[2], shape[3]};
      Conv2d conv({.in = 3, .out = 4, .kernel = c.kernel, .stride = c.stride, .padding = c.padding},
                  rng);
      MaxPool2d max({.kernel = c.kernel, .stride = c.stride, .padding = c.padding});
      AveragePool2d average({.kernel = c.kernel, .stride = c.stride, .padding = c.padding});
      const kernels::Window window = conv.window(shape);
      CHECK(window == max.window(example));
      CAPTURE(conv.describe());
      const Tensor y = conv(Variable(x)).value();
      check_close(y, kernels::reference::conv2d(x, conv.weight().latent().value(), window));
      check_close(max(Variable(x)).value(), kernels::reference::max_pool2d(x, window).y);
      check_close(average(Variable(x)).value(), kernels::reference::average_pool2d(x, window));
      CHECK(conv.output_shape(example) == Shape{y.shape()[1], y.shape()[2], 4});
      CHECK(max.output_shape(example) == Shape{y.shape()[1], y.shape()[2], 3});
      CHECK(average.output_shape(example) == max.output_shape(example));
      CHECK(conv.macs(example) == y.shape()[1] * y.shape()[2] * 4 * c.kernel.h * c.kernel.w * 3);
    }
}

TEST_CASE("windows describe themselves") {
  Rng rng(1, "init");
  CHECK(Conv2d({.in = 1, .out = 2, .kernel = {5, 3}, .stride = 2, .padding = Padding::same()}, rng)
            .describe() == "Conv2d(1 -> 2, kernel 5x3, stride 2, padding same)");
  CHECK(MaxPool2d({.kernel = 3, .stride = {2, 1}, .padding = Padding::sides(0, 1, 2, 0)})
            .describe() == "MaxPool2d(kernel 3, stride 2x1, padding 0/1/2/0)");
}

TEST_CASE("windows that cannot slide are refused") {
  Rng rng(1, "init");
  const auto conv = [&](Conv2d::Options options) { Conv2d layer(options, rng); };
  CHECK_THROWS_AS(conv({.in = 0, .out = 1, .kernel = 3}), Error);
  CHECK_THROWS_AS(conv({.in = 1, .out = 1, .kernel = {3, 0}}), Error);
  CHECK_THROWS_AS(conv({.in = 1, .out = 1, .kernel = 3, .stride = {1, 0}}), Error);
  CHECK_THROWS_AS(conv({.in = 1, .out = 1, .kernel = 3, .padding = -1}), Error);
  CHECK_THROWS_AS(MaxPool2d({.padding = 2}), Error);
  CHECK_THROWS_AS(MaxPool2d({.padding = Padding::sides(0, 0, 0, 2)}), Error);
  CHECK_THROWS_AS(MaxPool2d({.kernel = 5}).output_shape({4, 9, 1}), Error);
  CHECK_THROWS_AS(MaxPool2d().output_shape({4}), Error);
}
