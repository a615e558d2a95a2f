#include "core/kernels/elementwise.hpp"

#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {

TEST_CASE("elementwise: the twins agree exactly: each value is one rounding") {
  for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 5}, Shape{2, 9, 9, 17}, Shape{0, 4}}) {
    CAPTURE(shape);
    const Tensor a = random(shape, "a"), b = random(shape, "b");
    check_same(onednn::add(a, b), reference::add(a, b));
    check_same(onednn::multiply(a, b), reference::multiply(a, b));
    const Tensor y = reference::relu(a);
    check_same(onednn::relu(a), y);
    check_same(onednn::relu_dx(b, y), reference::relu_dx(b, y));
  }
}

TEST_CASE("elementwise: a bias for each channel, and the sums that are its gradient") {
  for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 5}, Shape{2, 9, 9, 17}, Shape{0, 4}}) {
    CAPTURE(shape);
    const Tensor x = random(shape, "x"), b = random({shape[-1]}, "b");
    check_same(onednn::add_bias(x, b), reference::add_bias(x, b));  // one rounding
    const Tensor sums = onednn::sum_to_channels(x), plain = reference::sum_to_channels(x);
    for (std::size_t c = 0; c < plain.values().size(); ++c)  // up to 162 terms below 1
      CHECK(std::abs(sums.values()[c] - plain.values()[c]) < 1e-5f);
  }
  const Tensor x = Tensor::from({2, 2}, {1, 2, 3, 4});
  for (const auto sum : {onednn::sum_to_channels, reference::sum_to_channels})
    check_same(sum(x), Tensor::from({2}, {4, 6}));
  for (const auto add_bias : {onednn::add_bias, reference::add_bias}) {
    check_same(add_bias(x, Tensor::from({2}, {10, 20})), Tensor::from({2, 2}, {11, 22, 13, 24}));
    CHECK_THROWS_AS(add_bias(x, Tensor({3})), Error);
  }
}

TEST_CASE("elementwise: a relu of 0 passes no gradient") {
  const Tensor y = Tensor::from({3}, {0, -0.0f, 2}), dy = Tensor::from({3}, {5, 6, 7});
  for (const auto relu_dx : {onednn::relu_dx, reference::relu_dx})
    check_same(relu_dx(dy, y), Tensor::from({3}, {0, 0, 7}));
}

TEST_CASE("elementwise: different shapes are refused by both twins") {
  const Tensor a({2, 3}), b({3, 2});
  for (const auto f : {onednn::add, reference::add, onednn::multiply, reference::multiply,
                       onednn::relu_dx, reference::relu_dx})
    CHECK_THROWS_AS(f(a, b), Error);
  for (const auto relu : {onednn::relu, reference::relu})
    CHECK_THROWS_AS(relu(Tensor({2}, DType::kInt8)), Error);
}

}  // namespace espalier::kernels
