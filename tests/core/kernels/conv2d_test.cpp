#include "core/kernels/conv2d.hpp"

#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {
namespace {

struct Case {
  Shape x;
  std::int64_t outputs;
  Window window;
};

// LeNet's layers, a 1x1 convolution, same and lopsided padding, strides that leave pixels over, and
// channel counts on both sides of a vector register.
const Case kCases[] = {
    {{2, 28, 28, 1}, 6, {.kernel_h = 5, .kernel_w = 5}},
    {{2, 12, 12, 6}, 16, {.kernel_h = 5, .kernel_w = 5}},
    {{3, 7, 9, 4}, 5, {}},
    {{1, 8, 8, 3}, 8, {.kernel_h = 3, .kernel_w = 3}},  // only the padding differs from the next
    {{1, 8, 8, 3},
     8,
     {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1}},
    {{2, 9, 10, 16},
     17,
     {.kernel_h = 3,
      .kernel_w = 2,
      .stride_h = 2,
      .stride_w = 3,
      .pad_top = 0,
      .pad_left = 1,
      .pad_bottom = 2,
      .pad_right = 0}},
    {{1, 5, 5, 32}, 32, {.kernel_h = 5, .kernel_w = 5}},
    {{1, 9, 30, 3}, 31, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .pad_left = 2}},
    {{2, 11, 29, 2}, 20, {.kernel_h = 2, .kernel_w = 4, .pad_top = 1, .pad_bottom = 1}},
    {{4, 6, 6, 1}, 1, {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}},
};

}  // namespace

TEST_CASE("conv2d: the twins agree, forward and both gradients") {
  for (const auto& [x_shape, outputs, window] : kCases) {
    CAPTURE(x_shape);
    CAPTURE(outputs);
    const Shape w_shape{outputs, window.kernel_h, window.kernel_w, x_shape[3]};
    const Shape y_shape = convolved_shape(x_shape, w_shape, window);
    const Tensor x = random(x_shape, "x"), w = random(w_shape, "w"), dy = random(y_shape, "dy");
    const std::int64_t taps = window.kernel_h * window.kernel_w;
    check_sums(onednn::conv2d(x, w, window), reference::conv2d(x, w, window),
               reference::conv2d(magnitudes(x), magnitudes(w), window), taps * x_shape[3]);
    const Tensor bias = random({outputs}, "bias");
    check_sums(onednn::conv2d(x, w, window, bias), reference::conv2d(x, w, window, bias),
               reference::conv2d(magnitudes(x), magnitudes(w), window, magnitudes(bias)),
               taps * x_shape[3] + 1);
    if (loops::convolves(x_shape, w_shape, window))
      for (const Tensor& b : {bias, Tensor()})
        check_sums(loops::conv2d(x, w, window, b), reference::conv2d(x, w, window, b),
                   reference::conv2d(magnitudes(x), magnitudes(w), window,
                                     b.defined() ? magnitudes(b) : b),
                   taps * x_shape[3] + 1);
    check_sums(
        onednn::conv2d_dx(dy, w, x_shape, window), reference::conv2d_dx(dy, w, x_shape, window),
        reference::conv2d_dx(magnitudes(dy), magnitudes(w), x_shape, window), taps * outputs);
    check_sums(onednn::conv2d_dw(x, dy, w_shape, window),
               reference::conv2d_dw(x, dy, w_shape, window),
               reference::conv2d_dw(magnitudes(x), magnitudes(dy), w_shape, window),
               y_shape[0] * y_shape[1] * y_shape[2]);
  }
}

TEST_CASE("conv2d: an empty batch gives an empty image and no gradient") {
  const Window window{.kernel_h = 3, .kernel_w = 3};
  const Tensor x({0, 8, 8, 2}), w = random({4, 3, 3, 2}, "w");
  const Tensor y = onednn::conv2d(x, w, window);
  check_same(y, reference::conv2d(x, w, window));
  if (loops::convolves(x.shape(), w.shape(), window)) check_same(loops::conv2d(x, w, window), y);
  check_same(onednn::conv2d_dx(y, w, x.shape(), window), x);
  check_same(onednn::conv2d_dw(x, y, w.shape(), window), Tensor(w.shape()));
}

TEST_CASE("conv2d: what does not fit is refused by both twins") {
  const Window window{.kernel_h = 3, .kernel_w = 3};
  const Tensor x({1, 8, 8, 2}), w({4, 3, 3, 2}), dy({1, 6, 6, 4});
  const Tensor none;
  for (const auto conv : {onednn::conv2d, reference::conv2d}) {
    CHECK_THROWS_AS(conv(x, Tensor({4, 3, 3, 3}), window, none), Error);
    CHECK_THROWS_AS(conv(x, Tensor({4, 5, 5, 2}), window, none), Error);
    CHECK_THROWS_AS(conv(Tensor({8, 8, 2}), w, window, none), Error);
    CHECK_THROWS_AS(conv(Tensor({1, 2, 2, 2}), w, window, none), Error);
    CHECK_THROWS_AS(conv(Tensor({1, 8, 8, 2}, DType::kInt8), w, window, none), Error);
    CHECK_THROWS_AS(conv(x, w, window, Tensor({3})), Error);
  }
  for (const auto dx : {onednn::conv2d_dx, reference::conv2d_dx})
    CHECK_THROWS_AS(dx(dy, w, Shape{1, 9, 8, 2}, window), Error);
  for (const auto dw : {onednn::conv2d_dw, reference::conv2d_dw})
    CHECK_THROWS_AS(dw(x, dy, Shape{5, 3, 3, 2}, window), Error);
}

}  // namespace espalier::kernels
