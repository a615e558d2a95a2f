#include "core/kernels/elementwise.hpp"

#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {

TEST_CASE("elementwise: the twins agree exactly: each value is one rounding") {
  for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 5}, Shape{2, 9, 9, 17}, Shape{0, 4}}) {
    CAPTURE(shape);
    const Tensor a = random(shape, "a"), b = random(shape, "b");
    const Tensor y = reference::relu(a);
    for (const auto add : {onednn::add, loops::add}) check_same(add(a, b), reference::add(a, b));
    for (const auto multiply : {onednn::multiply, loops::multiply})
      check_same(multiply(a, b), reference::multiply(a, b));
    for (const auto relu : {onednn::relu, loops::relu}) check_same(relu(a), y);
    for (const auto relu_dx : {onednn::relu_dx, loops::relu_dx})
      check_same(relu_dx(b, y), reference::relu_dx(b, y));
  }
}

TEST_CASE("elementwise: a bias for each channel, and the sums that are its gradient") {
  for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 5}, Shape{2, 9, 9, 17}, Shape{33, 64},
                             Shape{17, 65}, Shape{0, 4}}) {
    CAPTURE(shape);
    const Tensor x = random(shape, "x"), b = random({shape[-1]}, "b");
    for (const auto add_bias : {onednn::add_bias, loops::add_bias})
      check_same(add_bias(x, b), reference::add_bias(x, b));  // one rounding
    for (const auto sum : {onednn::sum_to_channels, loops::sum_to_channels})
      check_sums(sum(x), reference::sum_to_channels(x), reference::sum_to_channels(magnitudes(x)),
                 x.elements() / std::max<std::int64_t>(shape[-1], 1));
  }
  const Tensor x = Tensor::from({2, 2}, {1, 2, 3, 4});
  for (const auto sum :
       {onednn::sum_to_channels, loops::sum_to_channels, reference::sum_to_channels})
    check_same(sum(x), Tensor::from({2}, {4, 6}));
  for (const auto add_bias : {onednn::add_bias, loops::add_bias, reference::add_bias}) {
    check_same(add_bias(x, Tensor::from({2}, {10, 20})), Tensor::from({2, 2}, {11, 22, 13, 24}));
    CHECK_THROWS_AS(add_bias(x, Tensor({3})), Error);
  }
}

TEST_CASE("elementwise: a relu of 0 passes no gradient") {
  const Tensor y = Tensor::from({3}, {0, -0.0f, 2}), dy = Tensor::from({3}, {5, 6, 7});
  for (const auto relu_dx : {onednn::relu_dx, loops::relu_dx, reference::relu_dx})
    check_same(relu_dx(dy, y), Tensor::from({3}, {0, 0, 7}));
}

TEST_CASE("elementwise: a relu shows a NaN") {
  const Tensor x = Tensor::from({1}, {std::numeric_limits<float>::quiet_NaN()});
  for (const auto relu : {loops::relu, reference::relu}) CHECK(std::isnan(relu(x).item()));
}

TEST_CASE("elementwise: different shapes are refused by all twins") {
  const Tensor a({2, 3}), b({3, 2});
  for (const auto f : {onednn::add, loops::add, reference::add, onednn::multiply, loops::multiply,
                       reference::multiply, onednn::relu_dx, loops::relu_dx, reference::relu_dx})
    CHECK_THROWS_AS(f(a, b), Error);
  for (const auto relu : {onednn::relu, loops::relu, reference::relu})
    CHECK_THROWS_AS(relu(Tensor({2}, DType::kInt8)), Error);
}

}  // namespace espalier::kernels
