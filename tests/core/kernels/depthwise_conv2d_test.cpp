#include "core/kernels/depthwise_conv2d.hpp"

#include "core/kernels/conv2d.hpp"
#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {
namespace {

struct Case {
  Shape x;
  Window window;
};

constexpr Window kSame3{
    .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1};

// One channel, channel counts on both sides of a vector register, same and lopsided padding,
// strides that leave pixels over, kernels of one tap and of the whole image.
const Case kCases[] = {
    {{2, 8, 8, 1}, {.kernel_h = 3, .kernel_w = 3}},
    {{2, 9, 7, 3}, kSame3},
    {{1, 9, 7, 16}, kSame3},
    {{2, 5, 6, 17}, kSame3},
    {{1, 14, 14, 64}, kSame3},
    {{3, 7, 9, 4}, {}},
    {{2, 9, 10, 20},
     {.kernel_h = 3,
      .kernel_w = 2,
      .stride_h = 2,
      .stride_w = 3,
      .pad_top = 0,
      .pad_left = 1,
      .pad_bottom = 2,
      .pad_right = 0}},
    {{1, 5, 5, 32}, {.kernel_h = 5, .kernel_w = 5}},
    {{4, 6, 6, 8}, {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2}},
};

}  // namespace

TEST_CASE("depthwise_conv2d: the twins agree, forward and both gradients") {
  for (const auto& [x_shape, window] : kCases) {
    CAPTURE(x_shape);
    const Shape w_shape{x_shape[3], window.kernel_h, window.kernel_w, 1};
    const Shape y_shape = depthwise_shape(x_shape, w_shape, window);
    const Tensor x = random(x_shape, "x"), w = random(w_shape, "w"), dy = random(y_shape, "dy");
    const std::int64_t taps = window.kernel_h * window.kernel_w;
    check_sums(onednn::depthwise_conv2d(x, w, window), reference::depthwise_conv2d(x, w, window),
               reference::depthwise_conv2d(magnitudes(x), magnitudes(w), window), taps);
    check_sums(onednn::depthwise_conv2d_dx(dy, w, x_shape, window),
               reference::depthwise_conv2d_dx(dy, w, x_shape, window),
               reference::depthwise_conv2d_dx(magnitudes(dy), magnitudes(w), x_shape, window),
               taps);
    check_sums(onednn::depthwise_conv2d_dw(x, dy, w_shape, window),
               reference::depthwise_conv2d_dw(x, dy, w_shape, window),
               reference::depthwise_conv2d_dw(magnitudes(x), magnitudes(dy), w_shape, window),
               y_shape[0] * y_shape[1] * y_shape[2]);
  }
}

TEST_CASE("depthwise_conv2d: a convolution of all channels whose other weights are 0") {
  const Tensor x = random({2, 6, 7, 5}, "x"), w = random({5, 3, 3, 1}, "w");
  Tensor whole({5, 3, 3, 5});
  for (std::int64_t c = 0; c < 5; ++c)
    for (std::int64_t tap = 0; tap < 9; ++tap)
      whole.mutable_data()[(c * 9 + tap) * 5 + c] = w.data()[c * 9 + tap];
  check_same(reference::depthwise_conv2d(x, w, kSame3), reference::conv2d(x, whole, kSame3));
}

TEST_CASE("depthwise_conv2d: an empty batch gives an empty image and no gradient") {
  const Tensor x({0, 8, 8, 2}), w = random({2, 3, 3, 1}, "w");
  const Tensor y = onednn::depthwise_conv2d(x, w, kSame3);
  check_same(y, reference::depthwise_conv2d(x, w, kSame3));
  check_same(onednn::depthwise_conv2d_dx(y, w, x.shape(), kSame3), x);
  check_same(onednn::depthwise_conv2d_dw(x, y, w.shape(), kSame3), Tensor(w.shape()));
}

TEST_CASE("depthwise_conv2d: what does not fit is refused by both twins") {
  const Window window{.kernel_h = 3, .kernel_w = 3};
  const Tensor x({1, 8, 8, 2}), w({2, 3, 3, 1}), dy({1, 6, 6, 2});
  for (const auto conv : {onednn::depthwise_conv2d, reference::depthwise_conv2d}) {
    CHECK_THROWS_AS(conv(x, Tensor({4, 3, 3, 1}), window), Error);
    CHECK_THROWS_AS(conv(x, Tensor({2, 3, 3, 2}), window), Error);
    CHECK_THROWS_AS(conv(x, Tensor({2, 5, 5, 1}), window), Error);
    CHECK_THROWS_AS(conv(Tensor({8, 8, 2}), w, window), Error);
    CHECK_THROWS_AS(conv(Tensor({1, 2, 2, 2}), w, window), Error);
    CHECK_THROWS_AS(conv(Tensor({1, 8, 8, 2}, DType::kInt8), w, window), Error);
  }
  for (const auto dx : {onednn::depthwise_conv2d_dx, reference::depthwise_conv2d_dx})
    CHECK_THROWS_AS(dx(dy, w, Shape{1, 9, 8, 2}, window), Error);
  for (const auto dw : {onednn::depthwise_conv2d_dw, reference::depthwise_conv2d_dw})
    CHECK_THROWS_AS(dw(x, dy, Shape{3, 3, 3, 1}, window), Error);
}

}  // namespace espalier::kernels
