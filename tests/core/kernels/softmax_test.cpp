#include "core/kernels/softmax.hpp"

#include "tests/core/kernels/twins.hpp"

namespace espalier::kernels {
namespace {

// Beyond the K roundings of the sum, the twins' exp and log differ by a few units in the last place
// of values no larger than |x| + log K.
float tolerance(std::int64_t k, float largest) {
  return std::numeric_limits<float>::epsilon() * (static_cast<float>(k) + 8 * (largest + 8));
}

}  // namespace

TEST_CASE("log softmax: the twins agree, for small and for large logits") {
  for (const std::int64_t n : {1, 5, 64})
    for (const std::int64_t k : {1, 2, 10, 33, 1000})
      for (const float size : {1.0f, 80.0f, 10000.0f}) {
        CAPTURE(n);
        CAPTURE(k);
        CAPTURE(size);
        Tensor x = random({n, k}, "x");
        for (float& v : x.mutable_values()) v *= size;
        const Tensor y = reference::log_softmax(x), dy = random({n, k}, "dy");
        check_near(onednn::log_softmax(x), y, tolerance(k, 2 * size));
        // |dx| <= |dy| + exp(y) * sum |dy| with |dy| <= 1: the sum's K roundings, times K at most.
        const auto sum = static_cast<float>(k);
        check_near(onednn::log_softmax_dx(dy, y), reference::log_softmax_dx(dy, y),
                   tolerance(k, 1) * sum);
      }
}

TEST_CASE("log softmax: an empty batch, and what does not fit") {
  CHECK(onednn::log_softmax(Tensor({0, 3})).shape() == Shape{0, 3});
  CHECK(onednn::log_softmax_dx(Tensor({0, 3}), Tensor({0, 3})).shape() == Shape{0, 3});
  for (const auto forward : {onednn::log_softmax, reference::log_softmax}) {
    CHECK_THROWS_AS(forward(Tensor({3})), Error);
    CHECK_THROWS_AS(forward(Tensor({3, 0})), Error);
    CHECK_THROWS_AS(forward(Tensor({3, 2}, DType::kInt32)), Error);
  }
  for (const auto dx : {onednn::log_softmax_dx, reference::log_softmax_dx})
    CHECK_THROWS_AS(dx(Tensor({2, 3}), Tensor({3, 2})), Error);
}

}  // namespace espalier::kernels
