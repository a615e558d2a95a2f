#include "core/kernels/conv2d_pool.hpp"

#include "core/kernels/elementwise.hpp"
#include "core/onednn/threads.hpp"
#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {
namespace {

constexpr Window kPool{.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2};

struct Case {
  Shape x, w;
  Window window;
};
Window same(std::int64_t kernel) {
  return {.kernel_h = kernel,
          .kernel_w = kernel,
          .pad_top = kernel / 2,
          .pad_left = kernel / 2,
          .pad_bottom = kernel / 2,
          .pad_right = kernel / 2};
}
const Case kCases[] = {
    {{3, 28, 28, 1}, {12, 3, 3, 1}, {.kernel_h = 3, .kernel_w = 3}},
    {{2, 28, 28, 1}, {20, 5, 5, 1}, {.kernel_h = 5, .kernel_w = 5}},
    {{2, 28, 28, 1}, {32, 5, 5, 1}, same(5)},
    {{2, 9, 11, 3}, {16, 3, 3, 3}, same(3)},
    {{1, 9, 12, 4}, {17, 3, 2, 4}, {.kernel_h = 3, .kernel_w = 2, .stride_h = 2}},
    {{2, 2, 2, 1}, {1, 1, 1, 1}, {}},
    {{1, 6, 70, 2}, {5, 3, 3, 2}, {.kernel_h = 3, .kernel_w = 3}},  // wider than 64 bits
};

// Numbers between zeros, as digits stand in their background.
Tensor lit(const Shape& shape, std::string_view stream) {
  Tensor x = random(shape, stream);
  const std::int64_t row = shape[2] * shape[3];
  for (std::int64_t i = 0; i < x.elements(); ++i)
    if (i / row % shape[1] < shape[1] / 3 || i % row < row / 4) x.mutable_data()[i] = 0;
  return x;
}

}  // namespace

TEST_CASE("convolution, relu and pooling as one: the twins agree, the gradients too") {
  for (const Case& c : kCases) {
    CAPTURE(c.x);
    CAPTURE(c.w);
    if (!loops::convolves_and_pools(c.x, c.w, c.window, kPool)) continue;
    const std::int64_t taps = c.w.elements() / c.w[0];
    for (const bool dark : {false, true}) {
      const Tensor x = dark ? lit(c.x, "x") : random(c.x, "x"), w = random(c.w, "w"),
                   bias = random({c.w[0]}, "bias");
      const auto got = loops::conv2d_relu_max_pool2d(x, w, c.window, bias, kPool),
                 want = reference::conv2d_relu_max_pool2d(x, w, c.window, bias, kPool);
      check_sums(
          got.y, want.y,
          reference::max_pool2d(
              reference::conv2d(magnitudes(x), magnitudes(w), c.window, magnitudes(bias)), kPool)
              .y,
          taps + 1);
      // The same bits as op after op.
      const auto apart = loops::relu_max_pool2d(loops::conv2d(x, w, c.window, bias), kPool);
      check_same(got.y, apart.y);
      for (std::int64_t i = 0; i < got.y.elements(); ++i)
        REQUIRE(got.workspace.data<std::uint8_t>()[i] == apart.workspace.data<std::uint8_t>()[i]);

      const Tensor dy = random(got.y.shape(), "dy");
      const auto gradients =
          loops::conv2d_relu_max_pool2d_dw(x, dy, got.workspace, c.w, c.window, kPool);
      const Tensor dconv =
          loops::max_pool2d_dx(dy, apart.workspace, convolved_shape(c.x, c.w, c.window), kPool);
      const std::int64_t terms = dy.elements() / c.w[0];
      check_sums(gradients.dw, reference::conv2d_dw(x, dconv, c.w, c.window),
                 reference::conv2d_dw(magnitudes(x), magnitudes(dconv), c.w, c.window), terms);
      check_sums(gradients.dbias, reference::sum_to_channels(dconv),
                 reference::sum_to_channels(magnitudes(dconv)), terms);
      const auto by_reference =
          reference::conv2d_relu_max_pool2d_dw(x, dy, want.workspace, c.w, c.window, kPool);
      check_near(gradients.dw, by_reference.dw, 1e-3f);
      check_near(gradients.dbias, by_reference.dbias, 1e-3f);
    }
  }
}

TEST_CASE("convolution with pooling: the same bits on two threads") {
  const Case& c = kCases[1];
  if (!loops::convolves_and_pools(c.x, c.w, c.window, kPool)) return;
  const Shape many{96, c.x[1], c.x[2], c.x[3]};
  const Tensor x = lit(many, "x"), w = random(c.w, "w"), bias = random({c.w[0]}, "bias");
  const auto one = loops::conv2d_relu_max_pool2d(x, w, c.window, bias, kPool);
  const Tensor dy = random(one.y.shape(), "dy");
  const auto alone = loops::conv2d_relu_max_pool2d_dw(x, dy, one.workspace, c.w, c.window, kPool);
  const ThreadsInScope two(2);
  const auto shared = loops::conv2d_relu_max_pool2d(x, w, c.window, bias, kPool);
  check_same(shared.y, one.y);
  const auto split = loops::conv2d_relu_max_pool2d_dw(x, dy, one.workspace, c.w, c.window, kPool);
  check_same(split.dw, alone.dw);
  check_same(split.dbias, alone.dbias);
}

TEST_CASE("convolution with pooling: a NaN reaches y and the loss, an empty batch nothing") {
  const Case& c = kCases[0];
  if (!loops::convolves_and_pools(c.x, c.w, c.window, kPool)) return;
  Tensor x(c.x);
  x.mutable_data()[400] = std::numeric_limits<float>::quiet_NaN();
  const auto y =
      loops::conv2d_relu_max_pool2d(x, random(c.w, "w"), c.window, random({12}, "b"), kPool);
  CHECK(std::ranges::any_of(y.y.values(), [](float v) { return std::isnan(v); }));
  const Tensor none({0, 28, 28, 1});
  const auto empty = loops::conv2d_relu_max_pool2d(none, random(c.w, "w"), c.window, {}, kPool);
  CHECK(empty.y.shape() == Shape{0, 13, 13, 12});
  const auto gradients =
      loops::conv2d_relu_max_pool2d_dw(none, empty.y, empty.workspace, c.w, c.window, kPool);
  CHECK(gradients.dw.shape() == c.w);
  const Tensor no_outputs({0, 3, 3, 1});
  const auto nothing = loops::conv2d_relu_max_pool2d(x, no_outputs, c.window, {}, kPool);
  CHECK(nothing.y.shape() == Shape{3, 13, 13, 0});
  CHECK(loops::conv2d_relu_max_pool2d_dw(x, nothing.y, nothing.workspace, no_outputs.shape(),
                                         c.window, kPool)
            .dw.shape() == no_outputs.shape());
}

TEST_CASE("convolution with pooling: what does not fit is refused") {
  const Case& c = kCases[0];
  if (!loops::convolves_and_pools(c.x, c.w, c.window, kPool)) return;
  const Tensor x = random(c.x, "x"), w = random(c.w, "w");
  CHECK_THROWS_AS(loops::conv2d_relu_max_pool2d(x, w, c.window, Tensor({11}), kPool), Error);
  CHECK_THROWS_AS(loops::conv2d_relu_max_pool2d(x, Tensor({12, 3, 3, 2}), c.window, {}, kPool),
                  Error);
  const auto y = loops::conv2d_relu_max_pool2d(x, w, c.window, {}, kPool);
  CHECK_THROWS_AS(
      loops::conv2d_relu_max_pool2d_dw(x, y.y, Tensor(y.y.shape()), c.w, c.window, kPool), Error);
}

}  // namespace espalier::kernels
