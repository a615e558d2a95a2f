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
