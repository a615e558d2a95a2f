#include "optim/training/loss.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "core/ops/ops.hpp"
#include "datasets/in_memory.hpp"

using namespace espalier;

TEST_CASE("mean squared error of numbers, and its gradient") {
  const datasets::Batch batch{Tensor({3, 1, 1, 1}), {0, 0, 0}, {1, -2, 0.5f}};
  Variable outputs(Tensor::from({3, 1}, {2, -2, 0}), true);
  const Variable loss = training::mean_squared_error(outputs, batch);
  CHECK(loss.value().item() == doctest::Approx((1 + 0 + 0.25) / 3));
  backward(loss);
  CHECK(outputs.gradient().values()[0] == doctest::Approx(2.0 / 3));
  CHECK(outputs.gradient().values()[1] == 0);
  CHECK(outputs.gradient().values()[2] == doctest::Approx(-1.0 / 3));
  CHECK_THROWS_AS(training::mean_squared_error(Variable(Tensor({3, 2})), batch), Error);
  CHECK_THROWS_AS(training::mean_squared_error(outputs, {batch.images, {0, 0, 0}, {}}), Error);
}

TEST_CASE("class_loss: smoothing and class weights follow their formula") {
  const Variable logits(Tensor::from({2, 3}, {1, 2, 0.5f, -1, 0, 3}), true);
  const datasets::Batch batch{Tensor({2, 1, 1, 1}), {1, 2}};
  const Tensor log_p = ops::log_softmax(logits).value();
  const auto log_of = [&](std::size_t i) { return double{log_p.values()[i]}; };
  const auto plain = training::class_loss({})(logits, batch);
  CHECK(plain.value().item() == doctest::Approx(-(log_of(1) + log_of(5)) / 2));
  CHECK(plain.value().item() ==
        doctest::Approx(ops::cross_entropy(logits, batch.labels).value().item()));

  const auto smooth = training::class_loss({.smoothing = 0.3f})(logits, batch);
  CHECK(smooth.value().item() ==
        doctest::Approx(-(0.8 * log_of(1) + 0.1 * (log_of(0) + log_of(2)) + 0.8 * log_of(5) +
                          0.1 * (log_of(3) + log_of(4))) /
                        2));
  const auto weighted = training::class_loss({.class_weights = {9, 2, 0.5f}})(logits, batch);
  CHECK(weighted.value().item() == doctest::Approx(-(2 * log_of(1) + 0.5 * log_of(5)) / 2));

  CHECK_THROWS_AS(training::class_loss({.smoothing = 1}), Error);
  CHECK_THROWS_AS(training::class_loss({.class_weights = {1, 0, 1}}), Error);
  CHECK_THROWS_WITH_AS(training::class_loss({.class_weights = {1, 1}})(logits, batch),
                       doctest::Contains("has 2 weights of classes, the logits are of 3"), Error);
}

TEST_CASE("balanced_weights: each class has the same say") {
  const datasets::InMemory data(
      Tensor({4, 1, 1, 1}, DType::kUint8),
      Tensor::from<std::uint8_t>({4}, std::vector<std::uint8_t>{0, 1, 0, 0}), 2);
  CHECK(training::balanced_weights(data) == std::vector<float>{4.0f / 6, 2});
  const datasets::InMemory one(Tensor({1, 1, 1, 1}, DType::kUint8), Tensor({1}, DType::kUint8), 2);
  CHECK_THROWS_WITH_AS(training::balanced_weights(one), doctest::Contains("class 1"), Error);
}
