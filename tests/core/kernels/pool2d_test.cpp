#include "core/kernels/pool2d.hpp"

#include "core/kernels/elementwise.hpp"

#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {
namespace {

const Shape kImages[] = {{2, 28, 28, 6}, {1, 7, 9, 1}, {3, 8, 8, 17}, {2, 5, 6, 32}};
const Window kWindows[] = {
    {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2},
    {.kernel_h = 2, .kernel_w = 3, .stride_h = 2, .stride_w = 3},
    {.kernel_h = 3, .kernel_w = 3},  // windows overlap
    {.kernel_h = 3,
     .kernel_w = 2,
     .stride_h = 2,
     .stride_w = 2,
     .pad_top = 1,
     .pad_left = 0,
     .pad_bottom = 2,
     .pad_right = 1},
};

}  // namespace

TEST_CASE("max pooling: the twins agree exactly, and the first of equals takes the gradient") {
  for (const Shape& shape : kImages)
    for (const Window& window : kWindows)
      for (const bool ties : {false, true}) {
        CAPTURE(shape);
        CAPTURE(ties);
        // Below 0 everywhere: padding that won would show as a 0.
        Tensor x = ties ? random_integers(shape, "x") : random(shape, "x");
        for (float& v : x.mutable_values()) v -= 3;
        const auto got = onednn::max_pool2d(x, window), want = reference::max_pool2d(x, window);
        check_same(got.y, want.y);
        // Up to one gradient of each window that a value is in.
        const Tensor dy = random(want.y.shape(), "dy");
        check_sums(onednn::max_pool2d_dx(dy, got.workspace, shape, window),
                   reference::max_pool2d_dx(dy, want.workspace, shape, window),
                   reference::max_pool2d_dx(magnitudes(dy), want.workspace, shape, window),
                   window.kernel_h * window.kernel_w);
        if (!loops::pools(window)) continue;
        const auto looped = loops::max_pool2d(x, window);
        check_same(looped.y, want.y);
        check_same(loops::max_pool2d_dx(dy, looped.workspace, shape, window),
                   reference::max_pool2d_dx(dy, want.workspace, shape, window));
        for (float& v : x.mutable_values()) v += 3;  // both signs, and 0 among them
        const Tensor positive = reference::relu(x);
        const auto plain = reference::max_pool2d(positive, window);
        const auto fused = loops::relu_max_pool2d(x, window);
        check_same(fused.y, plain.y);
        check_same(loops::max_pool2d_dx(dy, fused.workspace, shape, window),
                   reference::relu_dx(reference::max_pool2d_dx(dy, plain.workspace, shape, window),
                                      positive));
      }
}

TEST_CASE("average pooling: the twins agree, and leave the padding out") {
  for (const Shape& shape : kImages)
    for (const Window& window : kWindows) {
      CAPTURE(shape);
      // One rounding more than the sum's: of the division, or of dividing by multiplication.
      const std::int64_t terms = window.kernel_h * window.kernel_w + 2;
      const Tensor x = random(shape, "x");
      const Tensor y = reference::average_pool2d(x, window);
      check_sums(onednn::average_pool2d(x, window), y,
                 reference::average_pool2d(magnitudes(x), window), terms);
      const Tensor dy = random(y.shape(), "dy");
      check_sums(onednn::average_pool2d_dx(dy, shape, window),
                 reference::average_pool2d_dx(dy, shape, window),
                 reference::average_pool2d_dx(magnitudes(dy), shape, window), terms);
    }
}

TEST_CASE("pooling: an empty batch gives an empty image") {
  const Window& window = kWindows[0];
  const Tensor x({0, 4, 4, 3});
  const auto got = onednn::max_pool2d(x, window);
  CHECK(got.y.shape() == Shape{0, 2, 2, 3});
  CHECK(onednn::max_pool2d_dx(got.y, got.workspace, x.shape(), window).shape() == x.shape());
  CHECK(onednn::average_pool2d(x, window).shape() == Shape{0, 2, 2, 3});
  CHECK(onednn::average_pool2d_dx(got.y, x.shape(), window).shape() == x.shape());
}

TEST_CASE("pooling: what does not fit is refused by both twins") {
  const Window& window = kWindows[0];
  const Tensor x({1, 4, 4, 3}), wrong({1, 3, 2, 3});
  for (const auto pool : {onednn::average_pool2d, reference::average_pool2d}) {
    CHECK_THROWS_AS(pool(Tensor({4, 4, 3}), window), Error);
    CHECK_THROWS_AS(pool(Tensor({1, 1, 1, 3}), window), Error);
    CHECK_THROWS_AS(pool(x, Window{.stride_h = 0}), Error);
    CHECK_THROWS_AS(pool(x, Window{.pad_top = 1}), Error);
    CHECK_THROWS_AS(pool(Tensor({1, 4, 4, 3}, DType::kUint8), window), Error);
  }
  for (const auto dx : {onednn::average_pool2d_dx, reference::average_pool2d_dx})
    CHECK_THROWS_AS(dx(wrong, x.shape(), window), Error);
  const auto own = onednn::max_pool2d(x, window), other = reference::max_pool2d(x, window);
  CHECK_THROWS_AS(onednn::max_pool2d_dx(wrong, own.workspace, x.shape(), window), Error);
  CHECK_THROWS_AS(onednn::max_pool2d_dx(own.y, other.workspace, x.shape(), window), Error);
  CHECK_THROWS_AS(onednn::max_pool2d_dx(own.y, Tensor(), x.shape(), window), Error);
}

}  // namespace espalier::kernels
